/**
 * How long after its wait an open gate that nobody probes or opens again is remembered, so that targets which left the
 * configuration leave nothing behind. Long against any probe interval.
 */
export const GATE_FORGOTTEN_MS = 3_600_000;
