import { createHash } from 'node:crypto';
import type { MapNode } from './node.ts';
import { entriesAt, nodeAt, textAt } from './node.ts';
import type { ProblemList } from './problem-list.ts';

/** Namespace of the UUIDs of mappings. Changing it would orphan every lease and checkpoint there is. */
const NAMESPACE = '5b7f6a0e-3c1d-5d42-9f0b-8a4c2e6d1f37';

/**
 * The UUID of a mapping: version 5 (RFC 9562), made of the fleet's id and the mapping's name, so that every poller comes to the
 * same one and a mapping keeps its leases and checkpoints through every change but that of its name.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-5
 */
export function mappingUuid(fleetId: string, mappingName: string): string {
  const hash = createHash('sha1')
    .update(Buffer.from(NAMESPACE.replaceAll('-', ''), 'hex'))
    .update(JSON.stringify([fleetId, mappingName]))
    .digest()
    .subarray(0, 16);
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x50;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  const hex = hash.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** Two mappings of one identity would take each other's checkpoints: `renamedFrom` must name nothing that is still there, and only once. */
export function checkRenames(tree: MapNode, problems: ProblemList): void {
  const taken = new Map<string, string>();
  const names = new Set(entriesAt(tree, 'mappings').map(([name]) => name));
  for (const name of names) {
    const node = nodeAt(tree, ['mappings', name, 'renamedFrom']);
    const former = textAt(node);
    if (node === undefined || former === undefined) continue;
    const other = names.has(former) && former !== name ? former : taken.get(former);
    taken.set(former, name);
    if (former === name) problems.error(node, 'bad-rename', 'renamedFrom is the name the mapping has now', { help: 'remove it' });
    // A chain (b from a, c from b) is a swap of identities in one step; it is refused with the rest.
    else if (other !== undefined) {
      const help = 'two mappings cannot share one identity; remove one of them';
      problems.error(
        node,
        'bad-rename',
        other === former ? `mapping "${former}" still exists` : `mapping "${other}" is renamed from "${former}" too`,
        { help },
      );
    }
  }
}
