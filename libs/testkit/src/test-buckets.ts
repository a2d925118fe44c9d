import { unsignedHeaders } from './aws-scope.ts';

/** One object of a bucket. */
export interface TestObject {
  readonly key: string;
  readonly contentType: string | null;
  readonly text: string;
}

/** The buckets of one S3 backend, called without the SDK. */
export class TestBuckets {
  readonly #endpoint: string;

  constructor(endpoint: string) {
    this.#endpoint = endpoint;
  }

  async create(bucket: string): Promise<void> {
    await this.#call('PUT', bucket);
  }

  /** Every object of the bucket, by key. */
  async objects(bucket: string): Promise<TestObject[]> {
    const listing = await (await this.#call('GET', `${bucket}?list-type=2`)).text();
    const keys = [...listing.matchAll(/<Key>([^<]+)<\/Key>/g)].map((match) => match[1]!);
    return await Promise.all(
      keys.toSorted().map(async (key) => {
        const response = await this.#call('GET', `${bucket}/${key}`);
        return { key, contentType: response.headers.get('content-type'), text: await response.text() };
      }),
    );
  }

  async #call(method: string, path: string): Promise<Response> {
    const response = await fetch(`${this.#endpoint}/${path}`, { method, headers: unsignedHeaders('s3', 'us-east-1') });
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
    return response;
  }
}
