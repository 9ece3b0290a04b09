import { createHash } from 'node:crypto';
import type { PackageSet, ResolvedPackage } from '../packages/package.ts';
import { type Subject, TOOL, contentId, createdAt, isCommonLicense } from './subject.ts';

const ROOT = 'SPDXRef-Project';

/** An SPDX 2.3 document in JSON, https://spdx.github.io/spdx-spec/v2.3/. */
export function spdx(subject: Subject, set: PackageSet): object {
  const ids = new Map(set.packages.map((one) => [one.purl, idOf(one)]));
  const direct = set.packages.filter((one) => one.direct);
  return {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: `${subject.name}@${subject.version}`,
    // The standard wants a unique address; nothing has to be there.
    documentNamespace: `${subject.repository ?? 'https://spdx.org/spdxdocs'}/sbom-${contentId(subject, set)}`,
    creationInfo: { created: createdAt(subject), creators: [`Tool: ${TOOL}`] },
    packages: [
      {
        SPDXID: ROOT,
        name: subject.name,
        versionInfo: subject.version,
        downloadLocation: subject.repository ?? 'NOASSERTION',
        filesAnalyzed: false,
        primaryPackagePurpose: 'APPLICATION',
      },
      ...set.packages.map(packageOf),
    ],
    relationships: [
      { spdxElementId: 'SPDXRef-DOCUMENT', relationshipType: 'DESCRIBES', relatedSpdxElement: ROOT },
      ...direct.map((one) =>
        one.dev
          ? { spdxElementId: idOf(one), relationshipType: 'DEV_DEPENDENCY_OF', relatedSpdxElement: ROOT }
          : { spdxElementId: ROOT, relationshipType: 'DEPENDS_ON', relatedSpdxElement: idOf(one) },
      ),
      ...set.packages.flatMap((one) =>
        one.dependencies.flatMap((purl) => {
          const to = ids.get(purl);
          return to === undefined
            ? []
            : [{ spdxElementId: idOf(one), relationshipType: 'DEPENDS_ON', relatedSpdxElement: to }];
        }),
      ),
    ],
  };
}

function packageOf(one: ResolvedPackage): object {
  const [hash, ...others] = one.hashes;
  const isOne = hash !== undefined && others.every(({ algorithm }) => algorithm !== hash.algorithm);
  return {
    SPDXID: idOf(one),
    name: one.name,
    versionInfo: one.version,
    downloadLocation: one.source ?? 'NOASSERTION',
    filesAnalyzed: false,
    ...(isOne && {
      checksums: one.hashes.map(({ algorithm, value }) => ({
        algorithm: algorithm.toUpperCase(),
        checksumValue: value,
      })),
    }),
    ...licenseOf(one.license),
    ...(one.dev && { comment: 'for developing only' }),
    primaryPackagePurpose: 'LIBRARY',
    externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: one.purl }],
  };
}

function licenseOf(license: string | undefined): object {
  if (license === undefined) return { licenseDeclared: 'NOASSERTION' };
  if (isCommonLicense(license)) return { licenseDeclared: license };
  return { licenseDeclared: 'NOASSERTION', licenseComments: `The lockfile says: ${license}` };
}

/** SPDX allows letters, digits, dots and dashes; what is replaced is told apart by a hash. */
function idOf({ purl, name, version }: ResolvedPackage): string {
  const readable = `${name}-${version}`.replace(/[^A-Za-z0-9.-]+/g, '-').slice(0, 100);
  return `SPDXRef-Package-${readable}-${createHash('sha256').update(purl).digest('hex').slice(0, 8)}`;
}
