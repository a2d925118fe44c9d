import { Children } from './children.ts';
import { Screen } from './screen.ts';
import { tell } from './story.ts';

/** `npm start`: tells the story and leaves nothing running. Exit code 0 only if the ledger balances. */

const screen = new Screen(process.stdout);
const children = new Children();

let isInterrupted = false;
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.on(signal, () => {
    if (isInterrupted) process.exit(code);
    isInterrupted = true;
    screen.line();
    screen.line('  stopping …');
    void children.stopAll().then(() => process.exit(code));
  });
}

let isBalanced = false;
try {
  isBalanced = await tell(screen, children);
} catch (error) {
  if (!isInterrupted) screen.fail(error instanceof Error ? error.message : String(error));
}
await children.stopAll();
if (!isInterrupted) {
  if (isBalanced) {
    screen.line('  next     edit apps/demo/wherry.yaml · npx wherry validate apps/demo/wherry.yaml · npx wherry init');
    screen.line('           Nothing was left running and nothing was written to disk.');
  }
  process.exit(isBalanced ? 0 : 1);
}
