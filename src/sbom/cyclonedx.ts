import type { Hash, PackageSet, ResolvedPackage } from '../packages/package.ts';
import { type Subject, TOOL, contentId, createdAt, isExpression } from './subject.ts';

const ALGORITHMS: Readonly<Record<Hash['algorithm'], string>> = {
  md5: 'MD5',
  sha1: 'SHA-1',
  sha256: 'SHA-256',
  sha384: 'SHA-384',
  sha512: 'SHA-512',
};

/**
 * A CycloneDX 1.6 document, https://cyclonedx.org/docs/1.6/json/. What is for developing only has the scope `excluded`,
 * which the standard keeps for what is no part of the running software.
 */
export function cycloneDx(subject: Subject, set: PackageSet): object {
  const root = `${subject.name}@${subject.version}`;
  const direct = set.packages.filter((one) => one.direct).map(({ purl }) => purl);
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${contentId(subject, set)}`,
    version: 1,
    metadata: {
      timestamp: createdAt(subject),
      lifecycles: [{ phase: 'build' }],
      tools: { components: [{ type: 'application', name: TOOL }] },
      component: {
        type: 'application',
        'bom-ref': root,
        name: subject.name,
        version: subject.version,
        ...(subject.repository !== undefined && {
          externalReferences: [{ type: 'vcs', url: subject.repository }],
        }),
      },
      properties: [{ name: `${TOOL}:lockfile`, value: set.lockfile }],
    },
    components: set.packages.map(component),
    dependencies: [
      { ref: root, dependsOn: direct },
      ...set.packages.map(({ purl, dependencies }) => ({ ref: purl, dependsOn: dependencies })),
    ],
  };
}

function component(one: ResolvedPackage): object {
  const [group, name] = one.name.startsWith('@') ? one.name.split('/') : [undefined, one.name];
  // Several hashes are of several archives, of which one is installed: then none of them is that of the component.
  const [hash, ...others] = one.hashes;
  const isOne = hash !== undefined && others.every(({ algorithm }) => algorithm !== hash.algorithm);
  return {
    type: 'library',
    'bom-ref': one.purl,
    ...(group !== undefined && { group }),
    name,
    version: one.version,
    scope: one.dev ? 'excluded' : 'required',
    ...(isOne && {
      hashes: one.hashes.map(({ algorithm, value }) => ({ alg: ALGORITHMS[algorithm], content: value })),
    }),
    ...(one.license !== undefined && {
      licenses: [isExpression(one.license) ? { expression: one.license } : { license: { name: one.license } }],
    }),
    purl: one.purl,
    ...(one.source !== undefined && { externalReferences: [{ type: 'distribution', url: one.source }] }),
  };
}
