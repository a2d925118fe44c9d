import type { EngineEvent } from '@wherry/core/engine-event';
import { oneLine } from './error-fields.ts';
import type { Line } from './line.ts';

/** What only streams tell. */
type StreamEvent = Extract<
  EngineEvent,
  { readonly type: 'checkpointed' | 'iteratorAge' | 'blocked' | 'discarded' | 'destination' | 'shards' }
>;

/** Shards that a line names one by one; of more it says the number alone. */
const SHARDS_NAMED_MAX = 20;

/**
 * The log lines of an event of a stream.
 *
 * What happens with every batch (a good checkpoint, an age) has no line. Records that are given up have one each, never folded: it
 * holds the range of sequence numbers, which is all that is left of them where there is no failure destination.
 */
export function streamLinesOf(event: StreamEvent): Line[] {
  switch (event.type) {
    case 'checkpointed':
      return checkpointLines(event);
    case 'iteratorAge':
      return [];
    case 'blocked':
      return [blockedLine(event)];
    case 'discarded': {
      const { shard, condition, events, batch, firstSequenceNumber, lastSequenceNumber } = event;
      const fields = { shard, condition, events, batch, firstSequenceNumber, lastSequenceNumber };
      return [{ level: 'warn', msg: 'records given up', fields }];
    }
    case 'destination':
      return [destinationLine(event)];
    case 'shards':
      return shardLines(event);
  }
}

/** A lease that changed hands is ordinary; the store moving backwards is not. */
function checkpointLines({ shard, result }: Extract<StreamEvent, { type: 'checkpointed' }>): Line[] {
  switch (result) {
    case 'written':
      return [];
    case 'fenced':
      return [{ level: 'warn', msg: 'checkpoint refused: the lease has changed hands', fields: { shard }, foldBy: shard }];
    case 'regression':
      return [{ level: 'warn', msg: 'checkpoint refused: a later one is stored', fields: { shard }, foldBy: shard }];
    case 'failed':
      return [{ level: 'warn', msg: 'checkpoint not written yet', fields: { shard }, foldBy: '' }];
  }
}

function blockedLine({ shard, lane, reason, attempts, error }: Extract<StreamEvent, { type: 'blocked' }>): Line {
  // A function that fails now and then blocks and frees its lanes all the time: both lines are folded.
  if (attempts === 0) return { level: 'info', msg: 'shard unblocked', fields: { shard, lane }, foldBy: `${shard} ${lane}` };
  return {
    level: 'warn',
    msg: 'shard blocked',
    fields: { shard, lane, reason, attempt: attempts, err: { type: reason, message: error } },
    foldBy: `${shard} ${lane} ${reason} ${oneLine(error)}`,
  };
}

function destinationLine(event: Extract<StreamEvent, { type: 'destination' }>): Line {
  const { shard, destination, condition, outcome, events, message } = event;
  const fields = {
    shard,
    destination,
    condition,
    events,
    ...(message === undefined ? {} : { err: { type: 'DestinationDeliveryFailure', message } }),
  };
  switch (outcome) {
    case 'delivered':
      return { level: 'debug', msg: 'failure record delivered', fields };
    case 'failed':
      return { level: 'warn', msg: 'failure record not delivered', fields, foldBy: `${destination} ${oneLine(message ?? '')}` };
    case 'dropped':
      // Without a destination this is what was chosen, and "records given up" has told each of them.
      if (destination === 'none') return { level: 'warn', msg: 'records dropped: there is no failure destination', fields, foldBy: '' };
      return { level: 'error', msg: 'records dropped: their failure destination refused them', fields };
  }
}

const SHARDS: Readonly<Record<Extract<StreamEvent, { type: 'shards' }>['change'], Pick<Line, 'level' | 'msg'>>> = {
  found: { level: 'info', msg: 'shards found' },
  ended: { level: 'info', msg: 'shards ended' },
  retired: { level: 'info', msg: 'shards retired' },
  vanished: { level: 'warn', msg: 'shards vanished before they were read to their end' },
  lost: { level: 'warn', msg: 'checkpoints lost: shards are read from their oldest record' },
  stopped: { level: 'error', msg: 'checkpoints lost: shards wait until somebody seeks or removes onCheckpointLoss: stop' },
  damaged: { level: 'error', msg: 'checkpoints cannot be read: shards wait until somebody seeks' },
  windowLost: { level: 'warn', msg: 'open windows could not be read: their state begins anew' },
  trimmed: { level: 'warn', msg: 'records were trimmed before they were read' },
};

function shardLines({ change, shards }: Extract<StreamEvent, { type: 'shards' }>): Line[] {
  const named = shards.slice(0, SHARDS_NAMED_MAX).map(oneLine);
  const { level, msg } = SHARDS[change];
  const fields = { count: shards.length, shards: named };
  // What waits for a person is found again at every look at the stream.
  return shards.length === 0 ? [] : [{ level, msg, fields, ...(level === 'info' ? {} : { foldBy: shards.join(' ') }) }];
}
