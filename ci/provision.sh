#!/usr/bin/env bash
# Install what Tollgate is built, tested and run with, from the machine's own archive.
# Debian 12 and 13, Ubuntu 22.04 and 24.04; root, or sudo. Safe to run twice.
# Ends with 0 if the toolchain, cmocka and cJSON are there; a runtime that is not is only said.
set -euo pipefail

export DEBIAN_FRONTEND=noninteractive LC_ALL=C

# tool | package | need or want | how it is found: cmd:NAME in PATH, pc:NAME by pkg-config, pkg: by dpkg
readonly TOOLS='
gcc|gcc|need|cmd:gcc
libc headers|libc6-dev|need|pkg:libc6-dev
cmake|cmake|need|cmd:cmake
make|make|need|cmd:make
pkg-config|pkg-config|need|cmd:pkg-config
git|git|need|cmd:git
cmocka|libcmocka-dev|need|pc:cmocka
cjson|libcjson-dev|need|pc:libcjson
gnuplot|gnuplot-nox|want|cmd:gnuplot
lcov|lcov|want|cmd:lcov
runc|runc|want|cmd:runc
crun|crun|want|cmd:crun
runsc|runsc|want|cmd:runsc
bubblewrap|bubblewrap|want|cmd:bwrap
compare.py|libbenchmark-tools|want|pkg:libbenchmark-tools
'
readonly BACKPORT_BIN=/usr/local/bin/runsc-backports
readonly BACKPORT_STAMP=/usr/local/share/runsc-backports/version

declare -A why=() # tool or package name -> why it is not installed
backport_why=
scratch=

say() { printf 'provision: %s\n' "$*"; }

cleanup() { [[ -z $scratch ]] || rm -rf -- "$scratch"; }
trap cleanup EXIT

as_root() {
	if [[ $(id -u) -eq 0 ]]; then
		"$@"
	else
		sudo env DEBIAN_FRONTEND=noninteractive LC_ALL=C "$@"
	fi
}

# runtimes live in sbin on some releases, which an ordinary user's PATH leaves out
have_command() { PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin command -v "$1" >/dev/null 2>&1; }

package_version() { # prints nothing if it is not installed
	# shellcheck disable=SC2016 # dpkg-query's own ${…}
	dpkg-query -W -f '${db:Status-Abbrev} ${Version}\n' "$1" 2>/dev/null |
		awk '$1 == "ii" { print $2; exit }' || true
}

is_there() { # how
	case $1 in
	cmd:*) have_command "${1#cmd:}" ;;
	pc:*) have_command pkg-config && pkg-config --exists "${1#pc:}" ;;
	pkg:*) [[ -n $(package_version "${1#pkg:}") ]] ;;
	esac
}

version_of() { # package, how
	local version
	version=$(package_version "$1")
	if [[ -z $version ]]; then # not from the archive: docker's runc, a cmake of one's own
		case $2 in
		cmd:*) version=$("${2#cmd:}" --version 2>/dev/null | head -n 1 | cut -c 1-60) || true ;;
		pc:*) version=$(pkg-config --modversion "${2#pc:}") ;;
		esac
	fi
	printf '%s\n' "${version:-unknown version}"
}

candidate() { # package: the version that the machine's own sources offer, or nothing
	apt-cache policy "$1" 2>/dev/null | awk '$1 == "Candidate:" && $2 != "(none)" { print $2 }'
}

apt_install() {
	as_root apt-get -qq -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 \
		install --no-install-recommends "$@" >/dev/null
}

install_missing() {
	local tool package need how missing=()
	while IFS='|' read -r tool package need how; do
		[[ -n $tool ]] || continue
		is_there "$how" && continue
		if [[ -z $(candidate "$package") ]]; then
			why[$tool]="no package $package in this archive"
			continue
		fi
		missing+=("$package")
	done <<<"$TOOLS"
	[[ ${#missing[@]} -gt 0 ]] || return 0

	say "installing ${missing[*]}"
	apt_install "${missing[@]}" && return 0
	# one that conflicts or does not download must not stop the rest
	for package in "${missing[@]}"; do
		apt_install "$package" || why[$package]="apt-get install $package failed"
	done
}

# The address of the archive that this release itself comes from. apt reads its own source files, of both
# formats, mirror lists included, so nothing is parsed or known here.
archive_address() { # release
	# shellcheck disable=SC2016 # apt's own $(…)
	apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
		awk -v release="$1" '$1 == release && $2 == "main" && !seen++ { print $3 }'
}

# apt with sources, lists and cache of its own: the machine's stay as they are
private_apt() { # apt tool, arguments…
	local tool=$1
	shift
	"$tool" -o Dir::Etc::sourcelist="$scratch/sources.list" -o Dir::Etc::sourceparts="$scratch/none" \
		-o Dir::Etc::preferencesparts="$scratch/none" -o Dir::State::lists="$scratch/lists" \
		-o Dir::Cache="$scratch/cache" -o APT::Sandbox::User="$(id -un)" "$@"
}

install_backport_deb() { # version
	local deb
	(cd "$scratch" && private_apt apt-get -qq download "runsc=$1") || return 1
	deb=$(find "$scratch" -maxdepth 1 -name 'runsc_*.deb' -print -quit)
	[[ -n $deb ]] || return 1
	dpkg -x "$deb" "$scratch/tree" || return 1
	as_root install -D -m 0755 "$scratch/tree/usr/bin/runsc" "$BACKPORT_BIN" || return 1
	printf '%s\n' "$1" >"$scratch/version"
	as_root install -D -m 0644 "$scratch/version" "$BACKPORT_STAMP"
}

# A second, newer release of one runtime, beside the first: a real pair for `tollgate compare`.
# It is unpacked, never installed, so the archive's own runsc stays what it is.
provision_backport() { # release
	local suite=$1-backports address signed='' newer own
	address=$(archive_address "$1")
	if [[ -z $address ]]; then
		backport_why="apt's sources name no archive with a suite $1"
		return 0
	fi
	scratch=$(mktemp -d)
	mkdir -p "$scratch/none" "$scratch/lists/partial" "$scratch/cache/archives/partial"
	[[ ! -r /usr/share/keyrings/debian-archive-keyring.gpg ]] ||
		signed='[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]'
	printf 'deb %s %s %s main\n' "$signed" "$address" "$suite" >"$scratch/sources.list"

	# -o: an index that cannot be fetched is a failure, not a warning
	if ! private_apt apt-get -qq -o APT::Update::Error-Mode=any update >/dev/null 2>"$scratch/log"; then
		backport_why="the archive has no suite $suite, or it cannot be read"
		return 0
	fi
	newer=$(private_apt apt-cache madison runsc | awk -F '|' '{ gsub(/ /, "", $2); print $2; exit }')
	own=$(candidate runsc)
	if [[ -z $newer ]]; then
		backport_why="$suite has no runsc"
	elif [[ -n $own ]] && ! dpkg --compare-versions "$newer" gt "$own"; then
		backport_why="$suite has nothing newer than runsc $own"
	elif [[ -x $BACKPORT_BIN && $(cat "$BACKPORT_STAMP" 2>/dev/null) == "$newer" ]]; then
		say "runsc-backports is there already"
	else
		say "unpacking runsc of $suite"
		install_backport_deb "$newer" || backport_why="runsc $newer could not be fetched or unpacked"
	fi
}

closing_table() { # prints it; 1 if something needed is missing
	local tool package need how status=0
	printf '\n%-16s %s\n' tool version
	while IFS='|' read -r tool package need how; do
		[[ -n $tool ]] || continue
		if is_there "$how"; then
			printf '%-16s %s\n' "$tool" "$(version_of "$package" "$how")"
			continue
		fi
		printf '%-16s not installed: %s%s\n' "$tool" \
			"${why[$tool]:-${why[$package]:-not found after its installation}}" \
			"$([[ $need == need ]] && printf ' (NEEDED)')"
		[[ $need != need ]] || status=1
	done <<<"$TOOLS"
	if [[ -x $BACKPORT_BIN && -r $BACKPORT_STAMP ]]; then
		printf '%-16s %s\n' runsc-backports "$(cat "$BACKPORT_STAMP")"
	else
		printf '%-16s not installed: %s\n' runsc-backports "$backport_why"
	fi
	return "$status"
}

main() {
	local ID=unknown VERSION_ID=unknown VERSION_CODENAME=
	# shellcheck source=/dev/null
	. /etc/os-release

	if ! command -v apt-get >/dev/null; then
		say "this machine has no apt-get; install by hand what CONTRIBUTING.md lists" >&2
		exit 1
	fi
	if [[ $(id -u) -ne 0 ]] && ! command -v sudo >/dev/null; then
		say "needs root, or sudo" >&2
		exit 1
	fi
	case $ID-$VERSION_ID in
	debian-12 | debian-13 | ubuntu-22.04 | ubuntu-24.04) ;;
	*) say "$ID $VERSION_ID: not one of the releases this was tried on; going on" ;;
	esac

	as_root apt-get -qq -o DPkg::Lock::Timeout=300 update ||
		say "apt-get update failed; going on with the lists that are there"
	install_missing
	if [[ $ID == debian && -n $VERSION_CODENAME ]]; then
		provision_backport "$VERSION_CODENAME"
	else
		backport_why="$ID has no second runsc in its archive"
	fi
	closing_table
}

main "$@"
