import type { QueueMessage, QueueSource } from '@wherry/core/queue-source';
import type { SimClock } from './sim-clock.ts';
import type { SimulationLedger } from './simulation-ledger.ts';

/** A queue that tells the ledger what it did for one poller, at the moment it did it and whether or not the answer arrives. */
export function witnessQueue(
  queue: QueueSource,
  poller: string,
  { sim, ledger }: { readonly sim: SimClock; readonly ledger: SimulationLedger },
): QueueSource {
  const visibilityOf = new Map<string, number>();
  return {
    receive: async (request) => {
      const messages = await queue.receive(request);
      const seconds = request.visibilityTimeoutSeconds ?? (await queue.attributes()).visibilityTimeoutSeconds;
      for (const message of messages) visibilityOf.set(message.messageId, seconds);
      ledger.received(
        poller,
        messages.map((message) => message.messageId),
        sim.nowMs() + seconds * 1000,
      );
      return messages;
    },
    delete: async (messages) => {
      const outcomes = await queue.delete(messages);
      done(messages, outcomes).forEach((id) => ledger.deleted(id));
      return outcomes;
    },
    changeVisibility: async (messages, timeoutSeconds) => {
      const outcomes = await queue.changeVisibility(messages, timeoutSeconds);
      done(messages, outcomes).forEach((id) => ledger.visibilityChanged(id, sim.nowMs() + timeoutSeconds * 1000));
      return outcomes;
    },
    attributes: () => queue.attributes(),
    refresh: () => queue.refresh(),
    close: () => queue.close(),
  };
}

function done(messages: readonly QueueMessage[], outcomes: readonly string[]): string[] {
  return messages.filter((_, index) => outcomes[index] === 'done').map((message) => message.messageId);
}
