import { formatFigures, type Figure } from './figure.ts';

/**
 * `npm run bench -- NAME [--json]`: measures one part and compares it with its targets. Exit code 0 when all are met, 1 when one
 * is missed, 2 for a wrong call. Each benchmark is a module loaded only when asked for.
 */
const BENCHES: Readonly<Record<string, () => Promise<Figure[]>>> = {
  sqs: async () => (await import('./sqs.ts')).benchSqs(),
  failover: async () => (await import('./failover.ts')).benchFailover(),
  streams: async () => (await import('./streams.ts')).benchStreams(),
  leases: async () => (await import('./leases.ts')).benchLeases(),
  filters: async () => (await import('./filters.ts')).benchFilters(),
};

const args = process.argv.slice(2);
const name = args.find((arg) => !arg.startsWith('-')) ?? '';
const unknown = args.filter((arg) => arg !== name && arg !== '--json');
const bench = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
if (bench === undefined || unknown.length > 0) {
  console.error(`usage: npm run bench -- ${Object.keys(BENCHES).join('|')} [--json]`);
  process.exitCode = 2;
} else {
  const figures = await bench();
  console.log(formatFigures(figures, args.includes('--json')));
  process.exitCode = figures.every(({ ok }) => ok) ? 0 : 1;
}
