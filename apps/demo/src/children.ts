import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

/** An idle poller would wait for its long poll to return; nobody waits for that at the end of a demo. */
const stopWaitMs = 2_000;
const keptLines = 40;

/** A process of the demo's, with its last lines of output kept for the day it dies unexpectedly. */
export class Child {
  readonly name: string;
  readonly process: ChildProcess;
  /** Resolves with the exit code, or the signal's name, when the process is gone. */
  readonly exited: Promise<number | NodeJS.Signals>;
  #lines: string[] = [];
  #listeners = new Set<(line: string) => void>();
  /** An exit is expected: the demo asked for it. */
  isStopping = false;

  constructor(name: string, command: string, args: readonly string[], env: NodeJS.ProcessEnv) {
    this.name = name;
    this.process = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.exited = new Promise((resolve) => {
      this.process.once('error', (error) => {
        this.#keep(error.message);
        resolve(127);
      });
      this.process.once('close', (code, signal) => resolve(signal ?? code ?? 1));
    });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', (line) => this.#keep(line));
    }
  }

  /** Resolves with the first line (from now on) for which `pick` gives a value; rejects if the process ends or time runs out first. */
  waitForLine<T>(pick: (line: string) => T | undefined, timeoutMs = 20_000): Promise<T> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#listeners.delete(look);
      };
      const look = (line: string): void => {
        const found = pick(line);
        if (found === undefined) return;
        end();
        resolve(found);
      };
      const timer = setTimeout(() => {
        end();
        reject(new Error(`${this.name} said nothing useful within ${timeoutMs / 1000} s\n${this.tail()}`));
      }, timeoutMs);
      this.#listeners.add(look);
      for (const line of this.#lines) look(line);
      void this.exited.then((code) => {
        end();
        reject(new Error(`${this.name} ended early (${code})\n${this.tail()}`));
      });
    });
  }

  /** True once the process is gone. */
  get hasEnded(): boolean {
    return this.process.exitCode !== null || this.process.signalCode !== null || this.process.pid === undefined;
  }

  /** The last lines it printed. */
  tail(): string {
    return this.#lines.map((line) => `    ${line}`).join('\n');
  }

  signal(signal: NodeJS.Signals): void {
    this.isStopping = true;
    this.process.kill(signal);
  }

  #keep(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > keptLines) this.#lines.shift();
    for (const listener of this.#listeners) listener(line);
  }
}

/** All processes the demo started; `stopAll` leaves none behind. */
export class Children {
  #all: Child[] = [];
  #isStopping = false;

  constructor() {
    // Whatever ends the demo, an error that nobody caught or a second Ctrl-C, must not leave them behind.
    process.once('exit', () => {
      for (const child of this.#all) child.process.kill('SIGKILL');
    });
  }

  /** @throws Error when everything is being stopped */
  start(name: string, command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Child {
    if (this.#isStopping) throw new Error('the demo is being stopped');
    const child = new Child(name, command, args, env);
    this.#all.push(child);
    return child;
  }

  /** Asks every process to end (SIGTERM, last started first) and kills what is still there two seconds later. */
  async stopAll(): Promise<void> {
    this.#isStopping = true;
    const running = this.#all.filter((child) => !child.hasEnded);
    for (const child of running.toReversed()) child.signal('SIGTERM');
    const force = setTimeout(() => {
      for (const child of running) child.process.kill('SIGKILL');
    }, stopWaitMs);
    await Promise.all(running.map((child) => child.exited));
    clearTimeout(force);
  }
}
