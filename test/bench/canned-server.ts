/**
 * The other side of every SQS benchmark, in a process of its own: answers the SQS and Lambda calls of any client with canned
 * bytes and keeps the only clock that is used for latency. Two modes, set by `POST /control`:
 *
 * - `full`: every receive returns `fill` messages at once, for ever.
 * - `paced`: messages arrive at `rate` per second; each is stamped, and its latency is taken when its invocation arrives.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Control {
  readonly mode: 'full' | 'paced';
  /** Messages per receive in `full`. */
  readonly fill: number;
  /** Messages per second in `paced`. */
  readonly rate: number;
  /** Milliseconds added to each kind of answer. */
  readonly delays: { readonly receive: number; readonly invoke: number; readonly delete: number };
}

export interface Stats {
  readonly received: number;
  readonly deleted: number;
  readonly deleteCalls: number;
  readonly invokes: number;
  /**
   * One entry per message of `paced` in the order of arrival: milliseconds from its arrival in the queue to the arrival of its
   * invocation, null while it was not invoked.
   */
  readonly latenciesMs: readonly (number | null)[];
}

const bodyText = 'x'.repeat(1024);
const bodyMd5 = createHash('md5').update(bodyText).digest('hex');
const longPollMs = 1_000;
const tickMs = 2;

let control: Control = { mode: 'full', fill: 10, rate: 0, delays: { receive: 0, invoke: 0, delete: 0 } };
let nextId = 0;
let firstPacedId = 0;
let pacedSinceMs = 0;
let available: number[] = [];
const waiting = new Set<Waiter>();
const arrivedAtMs = new Map<number, number>();
const stats = { received: 0, deleted: 0, deleteCalls: 0, invokes: 0, latenciesMs: [] as (number | null)[] };

/** A long poll that has nothing yet. */
interface Waiter {
  readonly limit: number;
  readonly answer: (ids: readonly number[]) => void;
}

function messageJson(id: number): string {
  return (
    `{"MessageId":"m-${id}","ReceiptHandle":"r-${id}","MD5OfBody":"${bodyMd5}","Body":"${bodyText}",` +
    `"Attributes":{"ApproximateReceiveCount":"1","SentTimestamp":"1700000000000","SenderId":"AIDAEXAMPLE","ApproximateFirstReceiveTimestamp":"1700000000001"}}`
  );
}

function answerJson(response: ServerResponse, text: string, delayMs: number): void {
  const send = (): void => {
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0', 'content-length': Buffer.byteLength(text) });
    response.end(text);
  };
  if (delayMs > 0) setTimeout(send, delayMs);
  else send();
}

function receive(body: string, response: ServerResponse): void {
  const limit = Math.min(10, (JSON.parse(body) as { MaxNumberOfMessages?: number }).MaxNumberOfMessages ?? 1);
  const answer = (ids: readonly number[]): void => {
    stats.received += ids.length;
    const messages = ids.length === 0 ? '' : `"Messages":[${ids.map(messageJson).join(',')}]`;
    answerJson(response, `{${messages}}`, control.delays.receive);
  };
  const ids = take(limit);
  if (ids.length > 0) {
    answer(ids);
    return;
  }
  const waiter = { limit, answer };
  waiting.add(waiter);
  const timer = setTimeout(() => {
    if (waiting.delete(waiter)) answer([]);
  }, longPollMs);
  // What a killed client asked for must not be handed to its closed socket.
  response.once('close', () => {
    clearTimeout(timer);
    waiting.delete(waiter);
  });
}

function take(limit: number): readonly number[] {
  if (control.mode === 'paced') return available.splice(0, limit);
  return Array.from({ length: Math.min(limit, control.fill) }, () => nextId++);
}

/** Puts the messages that are due by now into the queue and hands them to whoever waits. */
function pace(): void {
  const nowMs = performance.now();
  const due = control.mode === 'paced' ? Math.floor(((nowMs - pacedSinceMs) / 1000) * control.rate) : 0;
  while (stats.latenciesMs.length < due) {
    stats.latenciesMs.push(null);
    arrivedAtMs.set(nextId, nowMs);
    available.push(nextId++);
  }
  for (const waiter of waiting) {
    const ids = take(waiter.limit);
    if (ids.length === 0) return;
    waiting.delete(waiter);
    waiter.answer(ids);
  }
}

function invoke(body: string, response: ServerResponse): void {
  stats.invokes += 1;
  if (control.mode === 'paced') {
    const nowMs = performance.now();
    for (const match of body.matchAll(/"m-(\d+)"/g)) {
      const id = Number(match[1]);
      const arrived = arrivedAtMs.get(id);
      if (arrived === undefined) continue;
      stats.latenciesMs[id - firstPacedId] = nowMs - arrived;
      arrivedAtMs.delete(id);
    }
  }
  answerJson(response, '{}', control.delays.invoke);
}

function deleteBatch(body: string, response: ServerResponse): void {
  const entries = (JSON.parse(body) as { Entries: { Id: string }[] }).Entries;
  stats.deleted += entries.length;
  stats.deleteCalls += 1;
  answerJson(response, `{"Successful":[${entries.map((entry) => `{"Id":"${entry.Id}"}`).join(',')}]}`, control.delays.delete);
}

function start(settings: Control): void {
  control = settings;
  firstPacedId = nextId;
  available = [];
  arrivedAtMs.clear();
  pacedSinceMs = performance.now();
  Object.assign(stats, { received: 0, deleted: 0, deleteCalls: 0, invokes: 0, latenciesMs: [] });
}

function route(request: IncomingMessage, body: string, response: ServerResponse): void {
  const target = String(request.headers['x-amz-target'] ?? '');
  if (target.endsWith('.ReceiveMessage')) receive(body, response);
  else if (target.endsWith('.DeleteMessageBatch')) deleteBatch(body, response);
  else if (target.endsWith('.GetQueueUrl')) answerJson(response, `{"QueueUrl":"http://${request.headers.host}/000000000000/bench"}`, 0);
  else if (target.endsWith('.GetQueueAttributes'))
    answerJson(response, '{"Attributes":{"VisibilityTimeout":"300","ApproximateNumberOfMessages":"0"}}', 0);
  else if (target.startsWith('AmazonSQS.')) answerJson(response, '{"Successful":[],"Failed":[]}', 0);
  else if (request.url === '/stats') answerJson(response, JSON.stringify(stats), 0);
  else if (request.url === '/control') {
    start(JSON.parse(body) as Control);
    answerJson(response, '{}', 0);
  } else invoke(body, response);
}

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => route(request, Buffer.concat(chunks).toString(), response));
});
setInterval(pace, tickMs);
server.listen(0, '127.0.0.1', () => process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`));
