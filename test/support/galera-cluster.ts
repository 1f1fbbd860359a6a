// Three mariadbd on loopback that are one Galera cluster, joined by rsync; gone with the test file.
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { MariadbServer } from './mariadb-server.ts';
import { freePort } from './running-process.ts';

const NODES = 3;
const PATIENCE_MS = 60_000;
const PROVIDER = '/usr/lib/galera/libgalera_smm.so';

export class GaleraCluster implements AsyncDisposable {
  readonly nodes: readonly MariadbServer[];

  private constructor(nodes: readonly MariadbServer[]) {
    this.nodes = nodes;
  }

  static async start(): Promise<GaleraCluster> {
    const nodes: MariadbServer[] = [];
    // A stray node of another test must not come in. At most 32 characters.
    const name = randomBytes(8).toString('hex');
    const ports = await Promise.all(Array.from({ length: NODES }, () => nodePorts()));
    const members = ports.map(({ group }) => `127.0.0.1:${group}`).join();
    const start = async (index: number): Promise<void> => {
      const own = [`--wsrep-cluster-name=${name}`, `--wsrep-cluster-address=gcomm://${members}`];
      const args = [...nodeArgs(ports[index]!), ...own];
      const how = index === 0 ? { firstArgs: ['--wsrep-new-cluster'] } : { joins: true };
      nodes[index] = await MariadbServer.start({ args, ...how });
    };
    try {
      await start(0);
      await Promise.all(ports.keys().drop(1).map(start));
      return new GaleraCluster(nodes);
    } catch (error) {
      for (const node of nodes) await node[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The URL of a database, with the servers in the order in which they are to be tried. */
  url(database: string, order: readonly number[]): string {
    const [first = 0, ...others] = order;
    const more = others.map((index) => `,127.0.0.1:${this.#node(index).port}`).join('');
    const { port } = this.#node(first);
    return this.#node(first).url(database).replace(`127.0.0.1:${port}`, `127.0.0.1:${port}${more}`);
  }

  /** It hears nothing of the others any more, and they nothing of it; who asks it is answered. */
  async cutOff(node: MariadbServer): Promise<void> {
    await node.asRoot((root) => root.query("set global wsrep_provider_options = 'gmcast.isolate=1'"));
  }

  /** Resolves when it serves again. */
  async letIn(node: MariadbServer): Promise<void> {
    await node.asRoot(async (root) => {
      await root.query("set global wsrep_provider_options = 'gmcast.isolate=0'");
      const deadline = performance.now() + PATIENCE_MS;
      for (;;) {
        const [ready] = await root.query<{ Value: string }[]>("show status like 'wsrep_ready'");
        if (ready?.Value === 'ON') return;
        if (performance.now() > deadline) throw new Error('a node that was cut off did not come back');
        await pause(50);
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.nodes) await node[Symbol.asyncDispose]();
  }

  #node(index: number): MariadbServer {
    const node = this.nodes[index];
    if (node === undefined) throw new Error(`the cluster has no node ${index}`);
    return node;
  }
}

interface NodePorts {
  readonly group: number;
  readonly incremental: number;
  readonly whole: number;
}

async function nodePorts(): Promise<NodePorts> {
  const [group, incremental, whole] = await Promise.all([freePort(), freePort(), freePort()]);
  return { group, incremental, whole };
}

function nodeArgs({ group, incremental, whole }: NodePorts): string[] {
  const provider = [
    'base_host=127.0.0.1',
    `base_port=${group}`,
    `gmcast.listen_addr=tcp://127.0.0.1:${group}`,
    `ist.recv_addr=127.0.0.1:${incremental}`,
    'gcache.size=32M',
  ];
  return [
    '--wsrep-on=ON',
    `--wsrep-provider=${PROVIDER}`,
    `--wsrep-provider-options=${provider.join(';')}`,
    `--wsrep-node-address=127.0.0.1:${group}`,
    '--wsrep-sst-method=rsync',
    `--wsrep-sst-receive-address=127.0.0.1:${whole}`,
    '--binlog-format=ROW',
    // No power is cut here, and nine tenths of a start were flushes.
    '--innodb-flush-method=nosync',
    '--innodb-autoinc-lock-mode=2',
    '--wsrep-slave-threads=2',
  ];
}
