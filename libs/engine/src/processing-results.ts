import type { EngineEvent } from '@wherry/core/engine-event';

/** `LastProcessingResult` of a stream mapping that has invoked nothing yet. */
const NOTHING_PROCESSED = 'No records processed';
/** After a failed invocation; it stays when the batch is given up, until another one succeeds. */
const CALL_FAILED = 'PROBLEM: Function call failed';

/**
 * `LastProcessingResult` of stream mappings, by name, as far as this poller has seen: what became of the last invocation, or what keeps
 * the source from being read. Throttles and services that are away say nothing about the function.
 * @see https://docs.aws.amazon.com/lambda/latest/api/API_EventSourceMappingConfiguration.html
 */
export class ProcessingResults {
  readonly #results = new Map<string, string>();
  readonly #problems = new Map<string, string>();

  /** Takes in what the loops tell. */
  note(event: EngineEvent): void {
    if (event.type === 'problem') {
      if (event.resolved) this.#problems.delete(event.mapping);
      else this.#problems.set(event.mapping, `PROBLEM: ${event.message}`);
    } else if (event.type === 'invoked') {
      if (event.outcome === 'success' || event.outcome === 'partial') this.#results.set(event.mapping, 'OK');
      else if (event.outcome === 'function_error' || event.outcome === 'timeout') this.#results.set(event.mapping, CALL_FAILED);
    }
  }

  of(mapping: string): string {
    return this.#problems.get(mapping) ?? this.#results.get(mapping) ?? NOTHING_PROCESSED;
  }

  /** A mapping has left the configuration. */
  forget(mapping: string): void {
    this.#results.delete(mapping);
    this.#problems.delete(mapping);
  }
}
