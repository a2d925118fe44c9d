import { givenUrl, urlOfListen, urlOfRefused } from './admin-place.ts';
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
  const url = givenUrl(text);
  if (url.pathname === '/') url.pathname = '/readyz';
  return url.href;
}

async function urlOfConfig(io: Io, file: string): Promise<string | undefined> {
  const { loadConfig } = await import('@wherry/config/load');
  const result = await loadConfig({ file, env: io.env });
  const url = result.ok ? urlOfListen(result.config.admin) : urlOfRefused(io, result, file);
  if (result.ok && url === undefined) {
    throw new UsageError(`${file} leaves the port of the admin listener open (${result.config.admin.listen}); name it with --url`);
  }
  return url && `${url}/readyz`;
}
