import { assert, dictionary, json, property, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { InvokeResult } from '../invoke.ts';
import { judgeWindowCall, type WindowJudgement } from './window-answer.ts';

const IDS = ['100', '101', '102'];

function judge(body: string, report = true, ids = IDS): WindowJudgement {
  return judgeWindowCall({ kind: 'success', body: new TextEncoder().encode(body), durationMs: 1 }, ids, report);
}

describe('the answer of a windowed function', () => {
  it('carries its state on after a success, as it was written', () => {
    const { verdict, state } = judge(' { "batchItemFailures" : [ ] , "state" : {"sum": 12345678901234567890, "ü": 1.0} , "x": 1}');
    expect(verdict.kind).toBe('succeeded');
    expect(state).toEqual({ json: '{"sum": 12345678901234567890, "ü": 1.0}', bytes: 40 });
  });

  it.each([
    ['{"state":{}}', '{}'],
    ['{"a":{"state":{"no":1}},"state":{"b":[{"state":2}]}}', '{"b":[{"state":2}]}'],
    ['{"state":{"first":1},"state":{"last":1}}', '{"last":1}'],
    ['{"st\\u0061te":{"escaped":"\\"}\\\\"},"z":"state"}', '{"escaped":"\\"}\\\\"}'],
    ['{"":"state","x":"\\\\","state":{"a":","}}', '{"a":","}'],
    ['\n{"list":["state",{"state":1}],\t"state"\r:\n{ }\n}', '{ }'],
  ])('finds the state in %s', (body, json_) => {
    expect(judge(body).state?.json).toBe(json_);
  });

  it('finds what JSON.parse finds in any answer', () => {
    const answers = property(dictionary(string(), json()), json(), json(), (others, state, batch) => {
      const members = Object.entries({ ...others, state: undefined, later: batch });
      const body = `{${members.map(([key, value]) => `${JSON.stringify(key)}: ${value ?? `{"v":${state}}`}`).join(' ,')}}`;
      expect(judge(body, false).state?.json).toBe(`{"v":${state}}`);
    });
    assert(answers, { numRuns: 500 });
  });

  it.each([
    ['', 'the answer is not JSON'],
    ['{"state":', 'the answer is not JSON'],
    ['""', 'the answer is not a JSON object'],
    ['null', 'the answer is not a JSON object'],
    ['[]', 'the answer is not a JSON object'],
    ['{}', 'the answer has no state'],
    ['{"batchItemFailures":[]}', 'the answer has no state'],
    ['{"batchItemFailures":[{"itemIdentifier":"101"}]}', 'the answer has no state'],
    ['{"a":{"state":{}}}', 'the answer has no state'],
    ['{"state":null}', 'state is not a JSON object'],
    ['{"state":"{}"}', 'state is not a JSON object'],
    ['{"state":[]}', 'state is not a JSON object'],
    [`{"state":{"a":"${'x'.repeat(6_290_000)}"}}`, 'a state of 6290008 bytes fits into no event'],
  ])('WIN-04 %.60s is a failed invocation: %s', (body, reason) => {
    expect(judge(body)).toMatchObject({ verdict: { kind: 'failed', failedFrom: 0, error: `malformed window response: ${reason}` } });
    expect(judge(body).state).toBeUndefined();
  });

  it.each([
    ['the second failed: the state stands for the first', '{"state":{"n":1},"batchItemFailures":[{"itemIdentifier":"101"}]}', 1, '{"n":1}'],
    ['the first failed: nothing is done', '{"state":{"n":1},"batchItemFailures":[{"itemIdentifier":"100"}]}', 0, undefined],
    ['an unknown id: nothing is done', '{"state":{"n":1},"batchItemFailures":[{"itemIdentifier":"7"}]}', 0, undefined],
  ])('with failures reported, %s', (_, body, failedFrom, state) => {
    const judged = judge(body);
    expect(judged.verdict).toMatchObject({ kind: 'failed', failedFrom });
    expect(judged.state?.json).toBe(state);
  });

  it('does not look at batchItemFailures where they are not asked for', () => {
    const judged = judge('{"state":{},"batchItemFailures":[{"itemIdentifier":"100"}]}', false);
    expect([judged.verdict.kind, judged.state?.json]).toEqual(['succeeded', '{}']);
  });

  it('needs a state from a last call as well', () => {
    expect(judge('{"state":{}}', true, []).verdict.kind).toBe('succeeded');
    expect(judge('{}', true, []).verdict.kind).toBe('failed');
  });

  it.each<[InvokeResult, string]>([
    [{ kind: 'throttled', reason: 'slow', durationMs: 1 }, 'refused'],
    [{ kind: 'timedOut', durationMs: 1 }, 'failed'],
    [{ kind: 'tooLarge', reason: '413', durationMs: 1 }, 'tooLarge'],
  ])('leaves other results as they are: %j', (result, kind) => {
    const judged = judgeWindowCall(result, IDS, true);
    expect([judged.verdict.kind, judged.state]).toEqual([kind, undefined]);
  });
});
