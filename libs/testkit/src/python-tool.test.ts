import { expect, test } from 'vitest';
import { ensurePythonTool } from './python-tool.ts';
import { repositoryPath } from './repository.ts';

test('a Python that is not there is a reason, not an error', async () => {
  const pinsFile = repositoryPath('test/backends/ministack-1.5.33-pins.txt');
  expect(await ensurePythonTool({ name: 'nothing', pinsFile, versions: ['3.99'] })).toEqual({
    kind: 'missing',
    reason: 'nothing needs Python 3.99 with venv and access to PyPI; no such Python was found',
  });
});
