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

/** The commands by which people look after a running fleet. */
export function addOperationCommands(program: Command, io: Io, exit: (code: number) => void): void {
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
}
