import { describe, expect, it } from 'vitest';
import { sampleConfig, sampleFunction, sampleMapping } from '@wherry/testkit/sample-config';
import { mappingSetups, planReload } from './reload-plan.ts';
import type { WherryConfig } from './mapping.ts';

const plain = sampleConfig();
const disabled = sampleConfig({ mappings: [sampleMapping({ enabled: false })] });

function steps(before: WherryConfig, after: WherryConfig): string[] {
  return planReload(mappingSetups(before), mappingSetups(after)).map((step) => `${step.kind} ${step.uuid.slice(0, 1)}`);
}

const second = sampleMapping({ name: 'billing', uuid: '22222222-2222-5222-8222-222222222222' });

describe('planReload', () => {
  const cases: readonly [string, WherryConfig, WherryConfig, string[]][] = [
    ['an equal configuration changes nothing', plain, sampleConfig(), []],
    ['another hash alone changes nothing', plain, sampleConfig({ hash: 'b'.repeat(64) }), []],
    ['a new mapping is added', plain, sampleConfig({ mappings: [sampleMapping(), second] }), ['add 2']],
    ['a mapping that is gone is removed', sampleConfig({ mappings: [sampleMapping(), second] }), plain, ['remove 2']],
    ['a changed mapping is updated', plain, sampleConfig({ mappings: [sampleMapping({ batchSize: 3 })] }), ['update 1']],
    ['a changed function updates its mappings', plain, sampleConfig({ functions: [sampleFunction({ timeoutSeconds: 9 })] }), ['update 1']],
    [
      'a renamed mapping keeps its UUID and is updated',
      plain,
      sampleConfig({ mappings: [sampleMapping({ name: 'renamed' })] }),
      ['update 1'],
    ],
    ['a disabled mapping is disabled', plain, disabled, ['disable 1']],
    ['an enabled mapping is enabled', disabled, plain, ['enable 1']],
    [
      'a disabled mapping that changes is updated',
      disabled,
      sampleConfig({ mappings: [sampleMapping({ enabled: false, batchSize: 3 })] }),
      ['update 1'],
    ],
  ];
  it.each(cases)('%s', (_name, before, after, expected) => {
    expect(steps(before, after)).toEqual(expected);
  });
});
