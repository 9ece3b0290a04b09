import type { Finding } from '../migration/finding.ts';

const LEVEL = { error: 'error', warning: 'warning', notice: 'note' } as const;

/**
 * Findings in SARIF 2.1.0 (OASIS), as GitHub's code scanning takes them: at most 5,000 results of a run are shown there.
 * @param version of this product
 */
export function sarifOf(findings: readonly Finding[], version: string): object {
  const codes = [...new Set(findings.map(({ code }) => code))].toSorted();
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'migrate-db',
            version,
            informationUri: 'https://github.com/logicore/delivery-actions/tree/v1/actions/migrate-db',
            rules: codes.map((id) => ({ id, shortDescription: { text: id.replaceAll('-', ' ') } })),
          },
        },
        results: findings.slice(0, 5000).map((finding) => ({
          ruleId: finding.code,
          ruleIndex: codes.indexOf(finding.code),
          level: LEVEL[finding.severity],
          message: { text: `${finding.message}. ${finding.why} ${finding.remedy}` },
          locations: [
            {
              physicalLocation: {
                artifactLocation: {
                  uri: finding.place.file
                    .split('/')
                    .map((part) => encodeURIComponent(part))
                    .join('/'),
                  uriBaseId: '%SRCROOT%',
                },
                ...(finding.place.line !== undefined && {
                  region: {
                    startLine: finding.place.line,
                    ...(finding.place.column !== undefined && { startColumn: finding.place.column }),
                    ...(finding.place.endLine !== undefined && { endLine: finding.place.endLine }),
                  },
                }),
              },
            },
          ],
          ...(finding.allowed !== undefined && {
            suppressions: [{ kind: 'inSource', justification: finding.allowed }],
          }),
        })),
      },
    ],
  };
}
