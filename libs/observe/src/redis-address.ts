import type { RedisSettings } from '@wherry/core/mapping';

/**
 * Where Redis is expected, for people: the URL without name, password and options, or the nodes of a cluster or a sentinel group.
 *
 * @returns for instance `redis://10.0.0.7:6379/2`, or `sentinel mymaster at s1:26379, s2:26379`
 */
export function redisAddress({ url, cluster, sentinel }: RedisSettings): string {
  if (sentinel !== undefined) return `sentinel ${sentinel.name} at ${sentinel.nodes.map(withoutSecrets).join(', ')}`;
  if (cluster !== undefined) return cluster.map(withoutSecrets).join(', ');
  return withoutSecrets(url ?? '');
}

/** @param node `host:port` or a URL */
function withoutSecrets(node: string): string {
  if (!node.includes('://')) return node.slice(node.lastIndexOf('@') + 1);
  const parsed = URL.parse(node);
  return parsed === null ? 'an address that is no URL' : `${parsed.protocol}//${parsed.host}${parsed.pathname.replace(/^\/$/, '')}`;
}
