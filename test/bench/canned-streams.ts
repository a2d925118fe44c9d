/**
 * The other side of the stream benchmarks, in a process of its own: a Kinesis stream that never runs dry (or is always empty) and a
 * function that answers at once, with canned bytes for any client. `POST /control` says how full it is, `GET /stats` what was done.
 */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface StreamControl {
  readonly shards: number;
  /** Most records of a page; 0 for a stream without records. */
  readonly pageRecords: number;
  /** Bytes of a record's data, which are JSON text. */
  readonly dataBytes: number;
  /** Whether a shard gives no more than one of Kinesis: 5 reads and 2 MiB a second. An answer that comes too early is held back. */
  readonly isPaced: boolean;
}

export interface StreamStats {
  readonly reads: number;
  /** Records in invocations that were answered. */
  readonly records: number;
  readonly invokes: number;
  /** Largest number of records in one invocation. */
  readonly largestBatch: number;
}

/** Digits of a sequence number: a prefix, the page's number, the record's number in its page. */
const NUMBER = { prefix: '4966812345678901234567890123456789', pageDigits: 14, recordDigits: 8 } as const;
const EVENT_MARK = Buffer.from('"eventID"');

const SHARD_BYTES_PER_SECOND = 2_097_152;
const READ_EVERY_MS = 200;

let control: StreamControl = { shards: 1, pageRecords: 1_000, dataBytes: 1_024, isPaced: true };
/** By shard: when its next answer may go out. */
const readyAtMs = new Map<string, number>();
let stats = { reads: 0, records: 0, invokes: 0, largestBatch: 0 };

/** A page of so many records, in which only the pages' number is missing. */
interface Template {
  readonly bytes: Buffer;
  /** Where the page's number goes. */
  readonly places: readonly number[];
}

const templates = new Map<string, Template>();

function templateOf(records: number, dataBytes: number): Template {
  const key = `${records} ${dataBytes}`;
  const known = templates.get(key);
  if (known !== undefined) return known;
  const places: number[] = [];
  const parts: string[] = ['{"Records":['];
  let length = parts[0]!.length;
  for (let index = 0; index < records; index += 1) {
    const head = `${index === 0 ? '' : ','}{"SequenceNumber":"${NUMBER.prefix}`;
    const number = `${'0'.repeat(NUMBER.pageDigits)}${String(index).padStart(NUMBER.recordDigits, '0')}`;
    const tail = `","ApproximateArrivalTimestamp":1789651650.123,"Data":"${dataOf(index, dataBytes)}","PartitionKey":"key-${index % 997}"}`;
    places.push(length + head.length);
    parts.push(head, number, tail);
    length += head.length + number.length + tail.length;
  }
  const template = { bytes: Buffer.from(parts.join('')), places };
  templates.set(key, template);
  return template;
}

function dataOf(index: number, dataBytes: number): string {
  const head = `{"kind":"${index % 2 === 0 ? 'wanted' : 'unwanted'}","amount":${index % 100},"customer":{"id":"c-${index}"},"fill":"`;
  return Buffer.from(`${head}${'x'.repeat(Math.max(0, dataBytes - head.length - 2))}"}`).toString('base64');
}

function answer(response: ServerResponse, ...parts: readonly (Buffer | string)[]): void {
  const length = parts.reduce((sum, part) => sum + Buffer.byteLength(part), 0);
  response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1', 'content-length': length });
  for (const part of parts) response.write(part);
  response.end();
}

function getRecords(body: string, response: ServerResponse): void {
  const { ShardIterator: iterator, Limit: limit = 10_000 } = JSON.parse(body) as {
    readonly ShardIterator: string;
    readonly Limit?: number;
  };
  const [shardId = '', page = '0'] = iterator.split('|');
  stats.reads += 1;
  const records = Math.min(limit, control.pageRecords);
  if (control.isPaced) {
    const nowMs = performance.now();
    const sendAtMs = Math.max(nowMs, readyAtMs.get(shardId) ?? 0);
    readyAtMs.set(shardId, sendAtMs + Math.max(READ_EVERY_MS, ((records * control.dataBytes) / SHARD_BYTES_PER_SECOND) * 1_000));
    if (sendAtMs > nowMs) {
      setTimeout(() => sendPage(shardId, page, records, response), sendAtMs - nowMs);
      return;
    }
  }
  sendPage(shardId, page, records, response);
}

function sendPage(shardId: string, page: string, records: number, response: ServerResponse): void {
  const next = `"NextShardIterator":"${shardId}|${Number(page) + 1}"`;
  if (records === 0) {
    answer(response, `{"Records":[],${next},"MillisBehindLatest":0}`);
    return;
  }
  const { bytes, places } = templateOf(records, control.dataBytes);
  // Earlier pages may still be on their way, so each is a copy.
  const copy = Buffer.from(bytes);
  const number = page.padStart(NUMBER.pageDigits, '0');
  for (const place of places) copy.write(number, place, 'latin1');
  answer(response, copy, `],${next},"MillisBehindLatest":60000}`);
}

function listShards(response: ServerResponse): void {
  const shards = Array.from({ length: control.shards }, (_, index) => ({
    ShardId: `shardId-${String(index).padStart(12, '0')}`,
    HashKeyRange: { StartingHashKey: '0', EndingHashKey: '1' },
    SequenceNumberRange: { StartingSequenceNumber: '1' },
  }));
  answer(response, JSON.stringify({ Shards: shards }));
}

function describe(response: ServerResponse): void {
  const summary = {
    StreamName: 'bench',
    StreamARN: 'arn:aws:kinesis:us-east-1:000000000000:stream/bench',
    StreamStatus: 'ACTIVE',
    RetentionPeriodHours: 24,
    StreamCreationTimestamp: 1_789_651_650,
    EnhancedMonitoring: [],
    OpenShardCount: control.shards,
  };
  answer(response, JSON.stringify({ StreamDescriptionSummary: summary }));
}

function invoke(payload: Buffer, response: ServerResponse): void {
  let records = 0;
  for (let at = payload.indexOf(EVENT_MARK); at !== -1; at = payload.indexOf(EVENT_MARK, at + EVENT_MARK.length)) records += 1;
  stats.invokes += 1;
  stats.records += records;
  stats.largestBatch = Math.max(stats.largestBatch, records);
  answer(response, '{}');
}

function route(target: string, url: string, body: Buffer, response: ServerResponse): void {
  if (target.endsWith('.GetRecords')) getRecords(body.toString(), response);
  else if (target.endsWith('.GetShardIterator')) {
    const { ShardId: shardId } = JSON.parse(body.toString()) as { readonly ShardId: string };
    answer(response, `{"ShardIterator":"${shardId}|1"}`);
  } else if (target.endsWith('.ListShards')) listShards(response);
  else if (target.endsWith('.DescribeStreamSummary')) describe(response);
  else if (url === '/stats') answer(response, JSON.stringify(stats));
  else if (url === '/control') {
    control = JSON.parse(body.toString()) as StreamControl;
    stats = { reads: 0, records: 0, invokes: 0, largestBatch: 0 };
    readyAtMs.clear();
    answer(response, '{}');
  } else invoke(body, response);
}

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => route(String(request.headers['x-amz-target'] ?? ''), request.url ?? '', Buffer.concat(chunks), response));
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`));
