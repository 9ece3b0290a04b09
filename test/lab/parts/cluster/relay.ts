// A way from a real node to a loopback address of this machine, such as the lab's registry:
// node relay.ts <listen host> <listen port> <loopback port>
import { connect, createServer } from 'node:net';

const [host, port, target] = process.argv.slice(2);

createServer((from) => {
  const to = connect(Number(target), '127.0.0.1');
  from.pipe(to).pipe(from);
  from.once('error', () => to.destroy());
  to.once('error', () => from.destroy());
}).listen(Number(port), host);
