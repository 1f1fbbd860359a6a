# AngioVault. `make run` tries it, `make test` checks everything, `make bench` measures, `make spk` packs
# the package for Synology DSM, `make dsm` tries it in a simulated NAS.
# What is missing is set up first: npm packages always, Debian packages only for tests and measurements.
.PHONY: run test bench spk dsm foreign-peers browser packing-tools
.DEFAULT_GOAL := run
.NOTPARALLEL:

INSTALLED := node_modules/.package-lock.json
APP := ui/dist/index.html

# make run ARGS="--ae-title MYVAULT --dimse-port 104"
run: $(INSTALLED) $(APP)
	@exec npm run -s angiovault -- serve $(ARGS)

test: $(INSTALLED) $(APP) foreign-peers browser
	@exec npm run -s test

bench: $(INSTALLED) foreign-peers
	@test -e /usr/share/orthanc/plugins/libOrthancMySQLIndex.so || .ci/need-debian-packages orthanc-mysql=orthanc-mysql
	@exec npm run -s bench

# make spk ARCH=armv8
spk: $(INSTALLED) packing-tools
	@exec npm run -s spk -- --arch $(or $(ARCH),x86_64)

# The package in the simulated NAS, as root: installing, starting, upgrading, power cuts, the desktop app.
# make dsm ONLY=upgrade
dsm: $(INSTALLED) foreign-peers browser packing-tools
	@.ci/need-debian-packages file=file qemu-aarch64-static=qemu-user-static
	@test -e /usr/aarch64-linux-gnu/lib/libstdc++.so.6 || .ci/need-debian-packages arm64-libraries=libstdc++6-arm64-cross
	@exec npm run -s dsm -- 'test/dsm/$(or $(ONLY),*).check.ts'

# Node 24 itself is one of these packages: any npm will do, whatever Node it runs on.
$(INSTALLED): package-lock.json .npmrc
# npm would empty the folder behind a link, which is another worktree's.
	@test ! -L node_modules || { echo 'node_modules is a link: install where it leads to, or remove it' >&2; exit 1; }
	@.ci/need-debian-packages npm=npm
	npm ci --loglevel=error >&2
# npm 9 (Debian 12), on passing over the package for the other processor, takes its link to `node` away again.
	@test -x node_modules/.bin/node || npm rebuild --silent >&2
	@touch $@

# The app, when it is missing or older than what it is made of.
$(APP): $(INSTALLED) $(shell find ui -path ui/dist -prune -o -type f -print)
	@npm run -s ui:build >&2
	@touch $@

# DCMTK and Orthanc are what the archive is tried against, MariaDB is one of its catalogues, also as a Galera cluster:
# the scripts by which its nodes join are in mariadb-server alone, which brings galera-4, rsync, lsof and socat.
foreign-peers:
	@.ci/need-debian-packages storescu=dcmtk Orthanc=orthanc mariadbd=mariadb-server-core \
	  wsrep_sst_rsync=mariadb-server openssl=openssl shellcheck=shellcheck unzip=unzip

# The app is tried in a real browser, in both languages.
browser:
	@.ci/need-debian-packages chromium=chromium fc-list=fontconfig
	@fc-list :lang=zh-cn family | grep -q . || .ci/need-debian-packages chinese-font=fonts-wqy-microhei

# The icons are rendered, the binary of Node is stripped for its own architecture.
packing-tools:
	@.ci/need-debian-packages rsvg-convert=librsvg2-bin xz=xz-utils git=git \
	  x86_64-linux-gnu-strip=binutils-x86-64-linux-gnu aarch64-linux-gnu-strip=binutils-aarch64-linux-gnu
