"""A Ray cluster on this machine, as a process: it prints its address, then takes orders.

"add" and "remove" on standard input start and kill a second node; the end of input ends it.
"""

import sys

from ray.cluster_utils import Cluster

NODE = {
    "num_cpus": 2,
    "memory": 32_000_000_000,
    "object_store_memory": 80_000_000,
    "include_dashboard": False,
}

if __name__ == "__main__":
    cluster = Cluster(initialize_head=True, head_node_args=NODE)
    print(cluster.address, flush=True)
    second = None
    for order in sys.stdin:
        if order.strip() == "add":
            second = cluster.add_node(wait=True, **NODE)
        else:
            cluster.remove_node(second, allow_graceful=False)
        print("done", flush=True)
    cluster.shutdown()
