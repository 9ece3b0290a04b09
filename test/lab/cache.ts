import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where downloads and builds are kept by version, and the state of a running lab: under the user's cache folder. */
export const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'delivery-actions');
