import { type Markdown, link, md, raw, text } from '../action/markdown.ts';
import { auditLine } from '../audit/report.ts';
import type { SupplyReport } from './supply.ts';

/** Rows of the table of steps: what it was, and what came of it. */
export function supplyRows({
  audit,
  sbom,
  sbomAttached,
  packages,
  attested,
  scanned,
}: SupplyReport): readonly (readonly [Markdown, Markdown])[] {
  const rows: (readonly [Markdown, Markdown])[] = [];
  if (audit !== undefined) rows.push([text('known vulnerabilities'), text(auditLine(audit))]);
  if (sbom !== undefined) {
    const where = sbomAttached === true ? ', beside the image' : '';
    rows.push([text('SBOM'), text(`${packages} packages${where}`)]);
  }
  if (attested !== undefined && attested.signed.length > 0) {
    const what = attested.signed.map((type) => WORDS[type] ?? type).join(', ');
    const page = attested.page === undefined ? '' : md` (${raw(link('on GitHub', attested.page))})`;
    rows.push([text('attested'), `${text(what)}${page}` as Markdown]);
  }
  if (scanned !== undefined) {
    const found = Object.entries(scanned).map(([severity, count]) => `${count} ${severity.toLowerCase()}`);
    rows.push([text('scan of the image by ECR'), text(found.join(', ') || 'nothing found')]);
  }
  return rows;
}

/** Sentences for the folded part on how it was built. */
export function supplyNotes({ notes, attested }: SupplyReport): readonly string[] {
  return [...notes, ...(attested?.skipped === undefined ? [] : [attested.skipped])];
}

const WORDS: Readonly<Record<string, string>> = {
  'https://slsa.dev/provenance/v1': 'provenance',
  'https://cyclonedx.org/bom': 'SBOM',
  'https://sigstore.dev/cosign/sign/v1': 'signature',
};
