import type { Problem } from '../action/errors.ts';
import { textAt } from '../kube/fields.ts';
import { type Kube, KubeError, type KubeObject, showRef } from '../kube/kube.ts';

/** That an Ingress is served by another controller, where its class may be read and says so. */
export async function classFaults(
  kube: Kube,
  ingress: KubeObject,
  { controller, kind }: { readonly controller: string; readonly kind: string },
): Promise<readonly Problem[]> {
  const name = textAt(ingress, 'spec', 'ingressClassName');
  if (name === '') return [];
  const found = await kube
    .get({ apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass', name })
    .catch((error: unknown) => {
      if (error instanceof KubeError && error.status === 403) return undefined;
      throw error;
    });
  const actual = textAt(found, 'spec', 'controller');
  if (actual === '' || actual === controller) return [];
  return [
    {
      message: `${showRef(ingress)} is served by ${actual} (class ${name}), not by ${controller}, which traffic: ${kind} is for`,
      remedy: 'Set the kind of traffic to that of its controller, or to replicas.',
    },
  ];
}
