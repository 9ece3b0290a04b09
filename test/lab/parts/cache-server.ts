import { cacheServer } from './cache-answers.ts';

const [port = '0', folder = '', secret = ''] = process.argv.slice(2);
cacheServer(Number(port), folder, secret);
