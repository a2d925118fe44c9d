import { ExitCode, UsageError, type Io } from './io.ts';

/** A poller that takes longer than this is not ready, whatever it would have said. */
const TIMEOUT_MS = 2_000;

/** `wherry health`: asks `/readyz` of a poller. Made for container health checks: one line, 0 or 1. */
export async function health(io: Io, options: { readonly config: string; readonly url?: string }): Promise<number> {
  const url = options.url === undefined ? await urlOfConfig(io, options.config) : readyUrl(options.url);
  if (url === undefined) return ExitCode.failed;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: 'error' });
    await response.body?.cancel();
    io.stdout.write(`${response.ok ? 'ready' : 'not ready'} (${response.status} from ${url})\n`);
    return response.ok ? ExitCode.ok : ExitCode.failed;
  } catch (error) {
    io.stdout.write(`not ready (no answer from ${url}: ${reasonOf(error)})\n`);
    return ExitCode.failed;
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message || error.cause.name : error.message;
}

/** The given URL, with `/readyz` where it names no page. */
function readyUrl(text: string): string {
  if (!URL.canParse(text)) throw new UsageError(`--url ${text}: expected a URL such as http://127.0.0.1:9401`);
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new UsageError(`--url ${text}: expected http:// or https://`);
  if (url.pathname === '/') url.pathname = '/readyz';
  return url.href;
}

async function urlOfConfig(io: Io, file: string): Promise<string | undefined> {
  const { readConfig } = await import('./read-config.ts');
  const config = await readConfig(io, file);
  if (config === undefined) return undefined;
  const { listen } = config.admin;
  const port = listen.slice(listen.lastIndexOf(':') + 1);
  if (port === '0') throw new UsageError(`${file} leaves the port of the admin listener open (${listen}); name it with --url`);
  const host = listen.slice(0, listen.lastIndexOf(':')).replace(/^(0\.0\.0\.0|\[::\]|\*|)$/, '127.0.0.1');
  return `http://${host}:${port}/readyz`;
}
