import { Children } from './children.ts';
import { forgetOwnFleet } from './own-fleet.ts';
import { Screen } from './screen.ts';
import { givenRedis } from './stack.ts';
import { tell } from './story.ts';

/** `npm start`: tells the story and leaves nothing behind. Exit code 0 only if the ledger balances. */

const screen = new Screen(process.stdout);
const children = new Children();

async function cleanUp(): Promise<void> {
  await children.stopAll();
  const redisUrl = givenRedis();
  if (redisUrl === undefined) return;
  await forgetOwnFleet(redisUrl).catch((error: Error) => screen.fail(`the demo's keys stay in Redis: ${error.message}`));
}

let isInterrupted = false;

function interrupt(code: number): void {
  if (isInterrupted) process.exit(code);
  isInterrupted = true;
  screen.line();
  screen.line('  stopping …');
  void cleanUp().then(() => process.exit(code));
}

process.on('SIGINT', () => interrupt(130));
process.on('SIGTERM', () => interrupt(143));
process.on('SIGHUP', () => interrupt(129));
// Whoever read the story has gone, as `head` does after its ten lines; what is written from here on fails in the same way.
process.stdout.on('error', () => {
  if (!isInterrupted) interrupt(141);
});

let isBalanced = false;
try {
  isBalanced = await tell(screen, children);
} catch (error) {
  if (!isInterrupted) screen.fail(error instanceof Error ? error.message : String(error));
}
if (!isInterrupted) {
  await cleanUp();
  if (isBalanced) {
    screen.line('  next     edit apps/demo/wherry.yaml · npx wherry validate apps/demo/wherry.yaml · npx wherry init');
    screen.line('           Nothing was left running and nothing was written to disk.');
  }
  process.exit(isBalanced ? 0 : 1);
}
