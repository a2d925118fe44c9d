import { describeFailureDestination } from '@wherry/testkit/contracts/failure-destination';
import { startFauxqs } from '@wherry/testkit/fauxqs-process';
import { startMinistack } from '@wherry/testkit/ministack-process';
import { destinationBackend, type EmulatedKind } from './destination-backend.ts';

const kinds: readonly EmulatedKind[] = ['sqs', 'sns', 's3'];

for (const kind of kinds) {
  const isObjectStore = kind === 's3';
  describeFailureDestination(`${kind} destination on fauxqs`, { isObjectStore, takesLargeObjects: false }, async () => {
    const backend = await startFauxqs();
    return destinationBackend(kind, backend.url, backend.stop);
  });
  describeFailureDestination(`${kind} destination on ministack`, { isObjectStore, takesLargeObjects: true }, async () => {
    const started = await startMinistack();
    return started.kind === 'missing'
      ? `no ministack: ${started.reason}`
      : destinationBackend(kind, started.backend.url, started.backend.stop);
  });
}
