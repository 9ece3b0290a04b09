import { createHash } from 'node:crypto';
import type { PackageSet } from '../packages/package.ts';

/** What an SBOM is of. */
export interface Subject {
  /** The image's or the project's name. */
  readonly name: string;
  /** Version of the project, or the commit. */
  readonly version: string;
  /** Such as `https://github.com/acme/shop`; absent outside GitHub. */
  readonly repository?: string;
  /** Seconds since 1970 of the commit: the same commit gives the same document, so the clock is not asked. */
  readonly commitTime: number;
}

/** The name that tools put into what they make. */
export const TOOL = 'delivery-actions';

/** When a document was made, in the form that both standards want. */
export function createdAt({ commitTime }: Subject): string {
  return new Date(commitTime * 1000).toISOString().replace('.000', '');
}

/** A UUID of version 8 (RFC 9562, section 5.8: of one's own making) that is the hash of all that a document says. */
export function contentId(subject: Subject, packages: PackageSet): string {
  const hex = createHash('sha256')
    .update(JSON.stringify([subject, packages]))
    .digest('hex');
  const variant = ((Number.parseInt(hex[16] ?? '0', 16) & 0x3) | 0x8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    variant + hex.slice(17, 20),
    hex.slice(20, 32),
  ].join('-');
}

/** Whether a licence reads as an SPDX expression: ids with their operators. Free text such as `SEE LICENSE IN x` does not. */
export function isExpression(license: string): boolean {
  return (
    /^\(*[\w.+-]+\)*(?: (?:AND|OR|WITH) \(*[\w.+-]+\)*)*$/.test(license) &&
    !/^(?:UNLICENSED|UNKNOWN|NONE)$/i.test(license)
  );
}

/** The ids of https://spdx.org/licenses/ that nearly all packages of npm and PyPI name. */
const COMMON = new Set(
  `0BSD AFL-2.1 AGPL-3.0-only AGPL-3.0-or-later Apache-2.0 Artistic-2.0 BlueOak-1.0.0 BSD-2-Clause BSD-3-Clause BSL-1.0
  CC-BY-3.0 CC-BY-4.0 CC0-1.0 EPL-2.0 GPL-2.0-only GPL-2.0-or-later GPL-3.0-only GPL-3.0-or-later ISC LGPL-2.1-only
  LGPL-2.1-or-later LGPL-3.0-only LGPL-3.0-or-later MIT MIT-0 MPL-2.0 PSF-2.0 Python-2.0 Unlicense WTFPL Zlib`.split(
    /\s+/,
  ),
);

/** Whether a licence is made of those ids alone: any other might be none of SPDX, which makes an SPDX document invalid. */
export function isCommonLicense(license: string): boolean {
  const ids = license
    .replace(/[()]/g, ' ')
    .trim()
    .split(/\s+(?:AND|OR)\s+/);
  return isExpression(license) && ids.every((id) => COMMON.has(id.trim()));
}
