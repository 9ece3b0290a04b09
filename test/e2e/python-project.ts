import type { LabFacts } from '../lab/part.ts';
import { PARTS } from './company.ts';
import type { Project, Team } from './team.ts';

export const ROUTING_SERVICE: Project = {
  example: 'routing-service',
  templates: { 'deliver.yml': 'python-service.yml' },
};
export const PYTHON_PARTS = [...PARTS, 'packages'] as const;

/** A problem with one answer that is short enough for a screen. */
export const PROBLEM = {
  depot: { lat: 47.07, lon: 15.44 },
  vehicles: 2,
  capacity: 5,
  stops: [
    { id: 'VIENNA', lat: 48.21, lon: 16.37, demand: 4 },
    { id: 'LINZ', lat: 48.31, lon: 14.29, demand: 3 },
    { id: 'WELS', lat: 48.16, lon: 14.03, demand: 2 },
  ],
};

/** The next release: nothing but its sources is new. */
export async function release(team: Team, from: string, to: string): Promise<void> {
  for (const file of ['pyproject.toml', 'routing/__init__.py']) {
    await team.edit(file, (text) => text.replace(`"${from}"`, `"${to}"`));
  }
}

/** The layers of an image in the lab's registry, with their sizes in bytes. */
export async function layersOf(
  { registry }: LabFacts,
  name: string,
  digest: string,
): Promise<ReadonlyMap<string, number>> {
  const accept = 'application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json';
  const answer = await fetch(`http://${registry?.host}/v2/${name}/manifests/${digest}`, { headers: { accept } });
  const { layers } = (await answer.json()) as { layers: readonly { digest: string; size: number }[] };
  return new Map(layers.map((layer) => [layer.digest, layer.size]));
}
