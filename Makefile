# AngioVault. `make run` tries it, `make test` checks everything, `make bench` measures.
# What is missing is set up first: npm packages always, Debian packages only for tests and measurements.
.PHONY: run test bench foreign-peers
.DEFAULT_GOAL := run
.NOTPARALLEL:

INSTALLED := node_modules/.package-lock.json

# make run ARGS="--ae-title MYVAULT --dimse-port 104"
run: $(INSTALLED)
	@exec npm run -s angiovault -- serve $(ARGS)

test: $(INSTALLED) foreign-peers
	@exec npm run -s test

bench: $(INSTALLED) foreign-peers
	@exec npm run -s bench

# Node 24 itself is one of these packages: any npm will do, whatever Node it runs on.
$(INSTALLED): package-lock.json .npmrc
	@scripts/need-debian-packages npm=npm
	npm ci --loglevel=error >&2
# npm 9 (Debian 12), on passing over the package for the other processor, takes its link to `node` away again.
	@test -x node_modules/.bin/node || npm rebuild --silent >&2
	@touch $@

# DCMTK and Orthanc are what the archive is tried against, MariaDB is one of its catalogues.
foreign-peers:
	@scripts/need-debian-packages storescu=dcmtk Orthanc=orthanc mariadbd=mariadb-server-core
