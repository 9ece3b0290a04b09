import type { Project, Started } from './team.ts';

/** The site of the demo, with the templates that its team copies. */
export const CONTROL_TOWER: Project = {
  example: 'control-tower',
  templates: { 'deliver.yml': 'web-app.yml', 'rollback.yml': 'rollback-web.yml' },
};
export const ROLLBACK = '.github/workflows/rollback.yml';

/** What GitHub tells of a pull request of the repository itself. */
export function pullRequest(action: 'opened' | 'closed'): Pick<Started, 'event' | 'payload'> {
  const head = { repo: { full_name: 'acme/shop' } };
  return { event: 'pull_request', payload: { action, number: 7, pull_request: { number: 7, head } } };
}
