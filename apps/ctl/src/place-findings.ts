import { nodeAt, type MapNode } from '@wherry/config/node';
import type { Problem } from '@wherry/config/problem';
import { ProblemList } from '@wherry/config/problem-list';
import type { OnlineFinding } from './online-finding.ts';

/**
 * Findings as problems at their places in the file, with the paths as they were written (pasted mappings have other ones). A value
 * that nobody wrote is pointed at where it would stand.
 */
export function placeFindings(findings: readonly OnlineFinding[], tree: MapNode): readonly Problem[] {
  const problems = new ProblemList();
  for (const { severity, path, code, message, help, awsMessage } of findings) {
    const written = nodeAt(tree, path)?.path ?? path.join('.');
    problems.add(severity, placeOf(tree, path), written, code, message, { help, awsMessage });
  }
  return problems.all;
}

function placeOf(tree: MapNode, path: readonly string[]): MapNode['place'] {
  for (let length = path.length; length > 0; length--) {
    const node = nodeAt(tree, path.slice(0, length));
    if (node !== undefined) return node.kind === 'scalar' || node.keyPlace === undefined ? node.place : node.keyPlace;
  }
  return { ...tree.place, end: tree.place.start };
}
