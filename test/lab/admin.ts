import { connect } from '../../src/kube/client.ts';
import type { Kube, KubeObject } from '../../src/kube/kube.ts';
import { readKubeconfig } from '../../src/kube/kubeconfig.ts';
import type { LabFacts } from './part.ts';

/** The lab's cluster in its administrator's hands. */
export interface Admin {
  readonly kube: Kube;
  apply(object: KubeObject): Promise<void>;
  /** What is there of the kinds of the example, by name, with the version that any change raises. */
  contents(namespace: string): Promise<Readonly<Record<string, string | undefined>>>;
}

export async function adminOf({ cluster }: LabFacts): Promise<Admin> {
  if (!cluster) throw new Error('the lab gave no cluster');
  const { server } = await readKubeconfig(cluster.kubeconfig, '');
  const kube = connect({ ...server, proxyEnv: {} });
  const kinds = [
    { apiVersion: 'v1', kind: 'ConfigMap' },
    { apiVersion: 'v1', kind: 'Service' },
    { apiVersion: 'apps/v1', kind: 'Deployment' },
  ];
  return {
    kube,
    apply: async (object) => void (await kube.apply(object, { fieldManager: 'lab', force: true })),
    async contents(namespace) {
      const lists = await Promise.all(kinds.map(async (kind) => kube.list({ ...kind, namespace })));
      const found = lists.flat().filter(({ metadata }) => metadata.name !== 'kube-root-ca.crt');
      return Object.fromEntries(
        found.map(({ kind, metadata }) => [`${kind}/${metadata.name}`, metadata.resourceVersion]),
      );
    },
  };
}
