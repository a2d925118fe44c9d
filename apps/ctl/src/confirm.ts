import { UsageError, type Io } from './io.ts';

/** Puts a question to a person; false also when the question is put off (Ctrl-C). */
export type Ask = (question: string) => Promise<boolean>;

/**
 * Refuses early, before anything is looked at, where nobody could answer: a command that changes the fleet asks first, and a script
 * says `--yes`.
 *
 * @throws UsageError without a terminal and without `--yes`
 */
export function requireAnswer(io: Io, command: string, yes: boolean | undefined): void {
  if (yes === true || (io.stdin.isTTY === true && io.stdout.isTTY === true)) return;
  throw new UsageError(`${command} asks before it changes anything, and there is no terminal to ask on: add --yes`);
}

/** Asks on the terminal; no is the answer that Enter gives. */
export const askOnTerminal: Ask = async (question) => {
  const { confirm } = await import('@clack/prompts');
  return (await confirm({ message: question, initialValue: false })) === true;
};
