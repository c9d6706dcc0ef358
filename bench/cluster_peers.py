"""scikit-learn's k-means and HDBSCAN on the features that Understudy clustered, for bench_cluster.py.

  cluster_peers.py FEATURES COLUMNS < {"labels": [..], "found": K}

prints {"k-means, told k": {...}, "k-means, k as found": {...}, "HDBSCAN": {...}}: NMI, ARI, AMI, purity, groups, seconds.
scikit-learn is Debian's python3-sklearn; it is no part of the project and is fetched when the bench is run.
"""

import collections
import importlib.util
import json
import shutil
import subprocess
import sys
import time

PACKAGE = "python3-sklearn"
LOCK_SECONDS_MAX = 300


def unavailable():
    """Installs the package where it is absent; a reason where that does not work."""
    if importlib.util.find_spec("sklearn"):
        return None
    if not shutil.which("apt-get"):
        return f"{PACKAGE} is not installed and there is no apt-get"
    print(f"bench cluster: installing {PACKAGE} (once)", file=sys.stderr, flush=True)
    for words in (("update", "-qq"), ("install", "-y", "-qq", "--no-install-recommends", PACKAGE)):
        # Another build in the same root may be installing: wait for it rather than go without the peers.
        done = subprocess.run(["apt-get", "-o", f"DPkg::Lock::Timeout={LOCK_SECONDS_MAX}", *words],
                              capture_output=True, text=True, timeout=2 * LOCK_SECONDS_MAX)
        if done.returncode != 0:
            return f"apt-get {words[0]}: {done.stderr.strip().splitlines()[-1:] or done.returncode}"
    return None


def scored(name, fit, labels):
    from sklearn import metrics
    started = time.monotonic()
    groups = [int(group) for group in fit()]
    seconds = time.monotonic() - started
    inside = collections.defaultdict(collections.Counter)
    for group, label in zip(groups, labels):
        inside[group][label] += 1
    return name, {"nmi": metrics.normalized_mutual_info_score(labels, groups),
                  "ami": metrics.adjusted_mutual_info_score(labels, groups),
                  "ari": metrics.adjusted_rand_score(labels, groups),
                  "purity": sum(max(counts.values()) for counts in inside.values()) / len(labels),
                  "groups": len(inside), "noise": groups.count(-1) / len(groups), "seconds": seconds}


def main():
    import numpy
    from sklearn import cluster
    given = json.load(sys.stdin)
    features = numpy.fromfile(sys.argv[1], dtype=numpy.float32).reshape(-1, int(sys.argv[2]))
    labels = given["labels"]

    def kmeans(k):
        return lambda: cluster.KMeans(n_clusters=k, n_init=3, random_state=1).fit_predict(features)
    runs = [scored("k-means, told the true k", kmeans(len(set(labels))), labels),
            scored("k-means, k as found", kmeans(max(2, given["found"])), labels),
            scored("HDBSCAN", lambda: cluster.HDBSCAN(min_cluster_size=5).fit_predict(features), labels)]
    print(json.dumps(dict(runs)))


if __name__ == "__main__":
    reason = unavailable()
    if reason:
        print(json.dumps({"skipped": reason}))
    else:
        main()
