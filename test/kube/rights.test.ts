import { expect, test } from '@jest/globals';
import { at, textAt } from '../../src/kube/fields.ts';
import { type Kube, KubeError, type KubeObject } from '../../src/kube/kube.ts';
import { checkRights } from '../../src/kube/rights.ts';
import { parseManifest } from '../../src/manifests/parse.ts';

const [document] = parseManifest(
  'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api, namespace: shop}\n',
  'k8s/api.yaml',
).documents;
if (!document) throw new Error('no document');

/** A cluster that lets do what `allows` says of `verb resource/subresource`. */
function cluster(allows: (asked: string) => boolean, refuse?: KubeError): { kube: Kube; asked: string[] } {
  const asked: string[] = [];
  const kube: Pick<Kube, 'resource' | 'create'> = {
    resource: async (type) => ({ ...type, plural: 'deployments', namespaced: true, verbs: [] }),
    async create(object): Promise<KubeObject> {
      if (refuse) throw refuse;
      const field = (name: string) => textAt(object, 'spec', 'resourceAttributes', name);
      const what = [`${field('verb')} ${field('resource')}`, field('subresource')].filter(Boolean).join('/');
      asked.push(`${what} ${field('namespace')}`);
      return { ...object, status: { allowed: allows(what), spec: at(object, 'spec') } };
    },
  };
  return { kube: kube as Kube, asked };
}

test('what may not be followed is told with the rule that is missing, before anything begins', async () => {
  const { kube } = cluster((asked) => !/^(list|watch) deployments/.test(asked));
  await expect(checkRights(kube, [document, document])).rejects.toMatchObject({
    message: 'RBAC does not let the deployer list, watch deployments.apps in the namespace shop',
    remedy: expect.stringContaining('resources: ["deployments"]\n  verbs: ["list","watch"]'),
    place: { file: 'k8s/api.yaml', line: 1 },
  });
});

test('missing evidence does not stop the deploy', async () => {
  const { kube, asked } = cluster((what) => what !== 'get pods/log');
  expect(await checkRights(kube, [document])).toEqual([
    expect.objectContaining({ message: expect.stringContaining('get pods/log in the namespace shop') }),
  ]);
  expect(asked).toHaveLength(10);
});

test('a server that answers no such question is no obstacle', async () => {
  const forbidden = new KubeError('no', { status: 403, reason: 'Forbidden' });
  expect(await checkRights(cluster(() => false, forbidden).kube, [document])).toEqual([]);
  const unknown = new KubeError('no', { status: 401, reason: 'Unauthorized' });
  await expect(checkRights(cluster(() => true, unknown).kube, [document])).rejects.toBe(unknown);
});
