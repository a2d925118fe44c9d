import { expect, it } from 'vitest';
import { visibilityProblem } from './visibility.ts';

it('has the text of AWS where the visibility timeout is too short, and none where it is not', () => {
  expect(visibilityProblem(30, 60)).toBe('Queue visibility timeout: 30 seconds is less than Function timeout: 60 seconds');
  expect(visibilityProblem(60, 60)).toBeUndefined();
});
