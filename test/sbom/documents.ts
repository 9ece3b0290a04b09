import type { PackageSet } from '../../src/packages/package.ts';
import { packageUrl } from '../../src/packages/package.ts';
import type { Subject } from '../../src/sbom/subject.ts';

export const subject: Subject = {
  name: 'shop/tracking-api',
  version: 'c0ffee',
  repository: 'https://github.com/acme/shop',
  commitTime: 1_700_000_000,
};

const npm = (name: string, version: string) => ({
  ecosystem: 'npm' as const,
  name,
  version,
  purl: packageUrl('npm', name, version),
  hashes: [],
  dev: false,
  direct: false,
  dependencies: [],
});

/** Packages of every kind: licences that are none, scopes, several archives, developing, needs. */
export const packages: PackageSet = {
  lockfile: 'package-lock.json',
  open: [],
  packages: [
    {
      ...npm('@acme/log', '1.0.0+build.7'),
      license: 'SEE LICENSE IN terms.txt',
      source: 'https://npm.acme.dev/log.tgz',
    },
    {
      ...npm('express', '4.21.2'),
      license: '(MIT OR Apache-2.0)',
      direct: true,
      hashes: [{ algorithm: 'sha512', value: 'ab'.repeat(64) }],
      dependencies: [packageUrl('npm', '@acme/log', '1.0.0+build.7')],
    },
    { ...npm('mocha', '11.0.1'), direct: true, dev: true, license: 'MIT' },
    {
      ...npm('wheels', '1.0.0'),
      license: 'Made-Up-1.0',
      hashes: [
        { algorithm: 'sha256', value: '01'.repeat(32) },
        { algorithm: 'sha256', value: '02'.repeat(32) },
      ],
    },
  ],
};
