/** Why a source, a store or a target's control call failed, in the few classes that loops react to. */
export type FaultCode = 'throttled' | 'accessDenied' | 'notFound' | 'expired' | 'unavailable' | 'invalid' | 'unknown';

/**
 * A failed call to an event source. Adapters translate the service's error names into `code` in one table; loops react to
 * the code alone.
 */
export class SourceError extends Error {
  readonly code: FaultCode;
  /** The service's own error name, such as `QueueDoesNotExist`, for people. */
  readonly serviceCode: string;
  constructor(code: FaultCode, serviceCode: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'SourceError';
    this.code = code;
    this.serviceCode = serviceCode;
  }
}
