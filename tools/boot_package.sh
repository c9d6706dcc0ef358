#!/usr/bin/env bash
# Installs a built Debian package in a throw-away forky root, boots that with systemd, and asks the gateway for its health:
#   tools/boot_package.sh understudy_0.1.0_amd64.deb [ROOT]
# ROOT, where given, is a forky root with systemd, systemd-container and curl that is used as it is, and kept. Needs root. What is
# mounted lies in a namespace of its own and is gone with it: also on hosts whose cgroups are those of version 1, because the
# container sees a tree of version 2 there.
set -euo pipefail

package=$(readlink -f "$1")
work=$(mktemp -d /tmp/understudy-boot-XXXXXX)
trap 'rm -rf --one-file-system "$work"' EXIT
root=${2:-$work/root}
seconds_max=240

if [ $# -lt 2 ]; then
  archive=$(apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(COMPONENT) $(CODENAME)' |
    awk '$2 == "Debian" && $3 == "main" && $4 !~ /security|updates|backports/ {print $1; exit}')
  unshare --mount -- mmdebstrap --variant=apt --aptopt='Acquire::Check-Valid-Until "false"' --skip=cleanup/apt/lists \
    --include=systemd,systemd-sysv,systemd-container,dbus,curl forky "$root" "$archive" >"$work/mmdebstrap.log" 2>&1 ||
    { tail -n 20 "$work/mmdebstrap.log" >&2; exit 1; }
fi

mkdir -p "$work/upper" "$work/overlay" "$work/inner" "$work/outer"
# Runs once in the booted system, says in /result what it saw, and turns it off.
mkdir -p "$work/upper/usr/local/sbin" "$work/upper/etc/systemd/system/multi-user.target.wants"
cat >"$work/upper/usr/local/sbin/look" <<'LOOK'
#!/bin/bash
exec >/result 2>&1
trap 'journalctl -u understudy --no-pager | tail -n 15; systemctl poweroff' EXIT
set -e
systemctl is-system-running || true
test "$(systemctl is-enabled understudy)" = disabled   # an administrator decides
understudy --home /var/lib/understudy init --upstream http://127.0.0.1:9/v1
systemctl start understudy
for _ in $(seq 25); do curl -fs http://127.0.0.1:8080/health && break; sleep 0.2; done
echo
systemctl is-active understudy
systemctl show understudy -p DynamicUser -p NoNewPrivileges -p MainPID -p NRestarts
pid=$(systemctl show understudy -p MainPID --value)
grep -E '^(Uid|CapEff|NoNewPrivs|Seccomp):' "/proc/$pid/status"
test "$(stat -c %u "/proc/$pid")" != 0
systemd-analyze security --no-pager understudy | tail -n 1
curl -fsS http://127.0.0.1:8080/health >/dev/null
# A call that no upstream answers is recorded all the same.
curl -s -o /dev/null -w '%{http_code}\n' http://127.0.0.1:8080/v1/chat/completions -H 'content-type: application/json' \
  -d '{"model":"m","messages":[{"role":"user","content":"hello"}]}'
systemctl stop understudy
systemctl show understudy -p Result -p ExecMainStatus
understudy --home /var/lib/understudy log stat --json
journalctl -u understudy --no-pager | tail -n 15
echo BOOTED-AND-SOUND
LOOK
chmod 755 "$work/upper/usr/local/sbin/look"
# The one line of the unit that this container does not bear: systemd may make no user namespace inside ("Failed at step USER").
mkdir -p "$work/upper/etc/systemd/system/understudy.service.d"
printf '[Service]\nPrivateUsers=no\n' >"$work/upper/etc/systemd/system/understudy.service.d/container.conf"
cat >"$work/upper/etc/systemd/system/look.service" <<'UNIT'
[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/usr/local/sbin/look
UNIT
ln -s ../look.service "$work/upper/etc/systemd/system/multi-user.target.wants/look.service"
cp "$package" "$work/upper/package.deb"

export work root seconds_max
unshare --mount -- bash -c '
  set -euo pipefail
  mount --make-rprivate /
  if ! stat -f -c %T /sys/fs/cgroup | grep -qx cgroup2fs; then
    umount -R /sys/fs/cgroup 2>/dev/null || umount -l /sys/fs/cgroup
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
  fi
  mount -t overlay overlay -o "lowerdir=$root,upperdir=$work/upper,workdir=$work/overlay" "$work/inner"
  mount --bind "$root" "$work/outer"   # whose systemd-nspawn boots the other one
  mkdir -p "$work/outer/inner"
  mount --bind "$work/inner" "$work/outer/inner"
  for place in proc sys dev; do mount --rbind "/$place" "$work/outer/$place"; done
  cat /etc/resolv.conf >"$work/inner/etc/resolv.conf"
  mount --rbind /proc "$work/inner/proc"; mount --rbind /dev "$work/inner/dev"
  chroot "$work/inner" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends /package.deb >"$work/apt.log" 2>&1 ||
    { tail -n 20 "$work/apt.log" >&2; exit 1; }
  umount -l "$work/inner/proc" "$work/inner/dev"
  cd "$work/outer"
  chroot "$work/outer" timeout --kill-after=10 "$seconds_max" systemd-nspawn -D /inner --boot --register=no --keep-unit --link-journal=no \
    --private-network >"$work/boot.log" 2>&1 </dev/null || true
'
cat "$work/upper/result" 2>/dev/null || { tail -n 30 "$work/boot.log" >&2; exit 1; }
grep -qx BOOTED-AND-SOUND "$work/upper/result" || exit 1
