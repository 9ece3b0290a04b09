import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { systemClock } from '../../src/action/main.ts';
import { attach, referrers } from '../../src/container/referrers.ts';
import { openLab } from '../lab/lab.ts';

const host = { clock: systemClock, signal: new AbortController().signal };
const sha256 = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;
const attachment = (type: string, text: string) => ({
  type: `application/vnd.${type}+json`,
  content: new TextEncoder().encode(text),
  annotations: { said: text },
});

let registry = '';
beforeAll(async () => {
  registry = (await openLab('registry')).registry?.host ?? '';
}, 120_000);

/** An image of one layer that is nothing, with a tag. */
async function pushImage(repository: string): Promise<string> {
  const base = `http://${registry}/v2/${repository}`;
  const begun = await fetch(`${base}/blobs/uploads/`, { method: 'POST' });
  const target = new URL(begun.headers.get('location') ?? '', base);
  target.searchParams.set('digest', sha256('{}'));
  await fetch(target, { method: 'PUT', body: '{}' });
  const part = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: sha256('{}'), size: 2 };
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = JSON.stringify({ schemaVersion: 2, mediaType, config: part, layers: [] });
  await fetch(`${base}/manifests/1.0`, { method: 'PUT', headers: { 'content-type': mediaType }, body: manifest });
  return sha256(manifest);
}

describe('what is attached to an image, in a registry without the referrers API', () => {
  test('is found by the fallback tag, and leaves the image and its tag as they are', async () => {
    const image = { registry, repository: 'attach/one', digest: await pushImage('attach/one') };
    const sbom = await attach(image, attachment('sbom', 'a'), {}, host);
    const proof = await attach(image, attachment('proof', 'b'), {}, host);
    expect(await attach(image, attachment('sbom', 'a'), {}, host)).toBe(sbom);
    expect((await referrers(image, {}, host)).map(({ digest }) => digest)).toEqual([sbom, proof]);
    expect(await referrers(image, {}, host, 'application/vnd.proof+json')).toMatchObject([
      { digest: proof, annotations: { said: 'b' } },
    ]);
    const tagged = await fetch(`http://${registry}/v2/attach/one/manifests/1.0`, {
      headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
    });
    expect(sha256(await tagged.text())).toBe(image.digest);
    const tags = (await (await fetch(`http://${registry}/v2/attach/one/tags/list`)).json()) as { tags: string[] };
    expect(tags.tags.toSorted()).toEqual(['1.0', image.digest.replace(':', '-')]);
    const referrer = (await (
      await fetch(`http://${registry}/v2/attach/one/manifests/${sbom}`, {
        headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
      })
    ).json()) as { layers: { digest: string }[] };
    expect(referrer).toMatchObject({ artifactType: 'application/vnd.sbom+json', subject: { digest: image.digest } });
    const blob = await fetch(`http://${registry}/v2/attach/one/blobs/${referrer.layers[0]?.digest}`);
    expect(await blob.text()).toBe('a');
  });

  test('by several jobs at once stays', async () => {
    const image = { registry, repository: 'attach/two', digest: await pushImage('attach/two') };
    const all = await Promise.all(['a', 'b', 'c'].map(async (one) => attach(image, attachment(one, one), {}, host)));
    expect((await referrers(image, {}, host)).map(({ digest }) => digest).toSorted()).toEqual(all.toSorted());
  });

  test('needs the image to be there', async () => {
    const missing = { registry, repository: 'attach/none', digest: sha256('none') };
    await expect(attach(missing, attachment('sbom', 'a'), {}, host)).rejects.toThrow('404');
  });
});
