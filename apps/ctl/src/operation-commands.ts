import type { Command } from 'commander';
import { configOption, type WithConfig } from './config-option.ts';
import type { Io } from './io.ts';

interface Answered extends WithConfig {
  readonly yes?: boolean;
  readonly json?: boolean;
}

const asksFirst = `
Asks first; --yes answers. Without a terminal and without --yes it changes nothing and exits with 2.`;

const pauseNotes = `
A pause holds for the whole fleet, whatever the configuration says, and outlives restarts. It takes effect within a second or so.
status and leases show who paused what; the audit trail keeps it.
${asksFirst}`;

const seekNotes = `
Where to:
  TRIM_HORIZON    the oldest record that the stream still holds; shards that had been read to their end come back, parents first
  LATEST          what comes from now on; what was not processed yet is skipped (DynamoDB: records of the last minute may still come)
  TIME            the first record since then: ISO 8601 with its zone, such as 2026-11-22T10:00:00Z, or seconds since 1970 (Kinesis only)
  SHARD:SEQUENCE  that shard alone begins at the record of this sequence number, which is delivered again; all others stay
Works while the fleet runs: pollers lose the leases of the shards that move, and what they still write of them does not count. Batches
in flight may be delivered once more. Says first how many shards go from where to where. The audit trail keeps it (CheckpointReset).
${asksFirst}`;

/** The commands by which people look after a running fleet. */
export function addOperationCommands(program: Command, io: Io, exit: (code: number) => void): void {
  program
    .command('leases')
    .description('show who has which shard and slot, how far each shard is done, and what is blocked')
    .argument('[mapping]', 'its name in the configuration; default: all')
    .addOption(configOption(io))
    .option('--json', 'print JSON')
    .option('--watch', 'repeat every 2 seconds')
    .action(async (mapping: string | undefined, options: WithConfig & { json?: boolean; watch?: boolean }) => {
      const { leases } = await import('./leases.ts');
      exit(await leases(io, { ...options, ...(mapping === undefined ? {} : { mapping }) }));
    });
  program
    .command('pause')
    .description('stop a mapping for a while: batches in flight end, nothing more is fetched')
    .argument('<mapping>', 'its name in the configuration')
    .addOption(configOption(io))
    .option('--for <time>', 'such as 30s, 10m or 2h; default: until it is resumed')
    .option('--reason <text>', 'why, for others who look')
    .option('--yes', 'do not ask')
    .option('--json', 'print JSON')
    .addHelpText('after', pauseNotes)
    .action(async (mapping: string, options: Answered & { for?: string; reason?: string }) => {
      const { pause } = await import('./pause.ts');
      exit(await pause(io, { ...options, mapping }));
    });
  program
    .command('resume')
    .description('end the pause of a mapping')
    .argument('<mapping>', 'its name in the configuration')
    .addOption(configOption(io))
    .option('--yes', 'do not ask')
    .option('--json', 'print JSON')
    .addHelpText('after', asksFirst)
    .action(async (mapping: string, options: Answered) => {
      const { resume } = await import('./pause.ts');
      exit(await resume(io, { ...options, mapping }));
    });
  program
    .command('seek')
    .description('send a stream mapping back or forth')
    .argument('<mapping>', 'its name in the configuration')
    .requiredOption('--to <position>', 'LATEST, TRIM_HORIZON, a time, or SHARD:SEQUENCE')
    .addOption(configOption(io))
    .option('--yes', 'do not ask')
    .option('--json', 'print JSON')
    .addHelpText('after', seekNotes)
    .action(async (mapping: string, options: Answered & { to: string }) => {
      const { seek } = await import('./seek.ts');
      exit(await seek(io, { ...options, mapping }));
    });
}
