/** A name by PEP 503: lower case, with `-` for every run of `-`, `_` and `.`. */
export function normalName(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replaceAll(/[-_.]+/g, '-');
}

/** The normal name of a requirement by PEP 508, such as `uvicorn` of `uvicorn[standard]>=0.30; python_version>"3.9"`. */
export function requirementName(requirement: string): string | undefined {
  const name = /^\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?=$|[[(<>=!~;@,\s])/.exec(requirement)?.[1];
  return name === undefined ? undefined : normalName(name);
}

/** The normal names of requirements, each once, in order; what has no name is left out. */
export function requirementNames(requirements: readonly string[]): readonly string[] {
  return [...new Set(requirements.map(requirementName).filter((name) => name !== undefined))];
}

/** Groups and extras by these names bring what checks need; others, such as docs, are left out. */
const FOR_CHECKS =
  /^(?:dev|develop|development|tests?|testing|unit-?tests?|lint|linting|linters?|format|style|quality|qa|types?|typing|typecheck(?:ing)?|type-check(?:ing)?|mypy|pyright|ruff|check|checks|ci|cov|coverage)$/;

/** Whether a dependency group or an extra is one that lint, types or tests need. */
export function isForChecks(group: string): boolean {
  return FOR_CHECKS.test(normalName(group));
}
