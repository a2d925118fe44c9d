import { jsonSchema } from '@wherry/config/json-schema';
import { ExitCode, type Io } from './io.ts';

/** `wherry schema`: the JSON Schema of the configuration file. */
export function printSchema(io: Io): number {
  io.stdout.write(`${JSON.stringify(jsonSchema(), undefined, 2)}\n`);
  return ExitCode.ok;
}
