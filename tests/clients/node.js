// SPDX-License-Identifier: Zlib
// Writes a folder of files in every way node's zlib module knows, and reads it back: at once, in the thread pool,
// as streams, and over HTTP. What must not depend on the compressed bytes is printed.
'use strict';
const assert = require('assert');
const crypto = require('crypto');
const fs = require('fs');
const http = require('http');
const path = require('path');
const { Readable } = require('stream');
const { pipeline } = require('stream/promises');
const { promisify } = require('util');
const zlib = require('zlib');

const FORMATS = {
	zlib: ['deflate', 'inflate', 'Deflate', 'Inflate'],
	raw: ['deflateRaw', 'inflateRaw', 'DeflateRaw', 'InflateRaw'],
	gz: ['gzip', 'gunzip', 'Gzip', 'Gunzip'],
};
const { Z_SYNC_FLUSH, Z_FULL_FLUSH } = zlib.constants;

function* pieces(data, size) {
	for (let at = 0; at < data.length; at += size)
		yield data.subarray(at, at + size);
}

async function collect(stream) {
	const out = [];
	for await (const piece of stream)
		out.push(piece);
	return Buffer.concat(out);
}

// data through a stream of node's, in pieces.
function through(transform, data, size) {
	Readable.from(pieces(data, size)).pipe(transform);
	return collect(transform);
}

// A flush after each piece, and another level from the middle on.
async function interactive(data) {
	const stream = zlib.createDeflate({ level: 1 });
	const out = collect(stream);
	let nr = 0;
	for (const piece of pieces(data, 40000)) {
		await new Promise(done => stream.write(piece, done));
		await new Promise(done => stream.flush(nr % 2 ? Z_FULL_FLUSH : Z_SYNC_FLUSH, done));
		if (++nr === 3)
			await new Promise(done => stream.params(9, 0, done));
	}
	stream.end();
	return out;
}

// A server of our own on the loopback interface, each file asked for by several clients at once.
async function overHttp(files) {
	const server = http.createServer((request, answer) => {
		answer.writeHead(200, { 'Content-Encoding': 'gzip' });
		Readable.from(pieces(files[request.url.slice(1)], 16384)).pipe(zlib.createGzip()).pipe(answer);
	});
	await new Promise(done => server.listen(0, '127.0.0.1', done));
	const get = name => new Promise((done, fail) => {
		const options = { host: '127.0.0.1', port: server.address().port, path: '/' + name, agent: false };
		http.get(options, answer => {
			assert.strictEqual(answer.headers['content-encoding'], 'gzip');
			collect(answer.pipe(zlib.createGunzip())).then(done, fail);
		}).on('error', fail);
	});
	const names = Object.keys(files).flatMap(name => [name, name, name]);
	const got = await Promise.all(names.map(get));
	names.forEach((name, nr) => assert.deepStrictEqual(got[nr], files[name], name));
	await new Promise(done => server.close(done));
	return names.length;
}

// What a stream that is not sound leads to.
async function damaged(data) {
	const sound = zlib.gzipSync(data);
	const cases = {
		header: Buffer.from('this is no gzip stream'),
		cut: sound.subarray(0, sound.length >> 1),
		checksum: Buffer.concat([sound.subarray(0, -8), Buffer.alloc(8)]),
		none: Buffer.alloc(0),
		two: Buffer.concat([sound, zlib.gzipSync(data)]),
		garbage: Buffer.concat([sound, Buffer.alloc(1000, 0xff)]),
	};
	for (const [name, bytes] of Object.entries(cases)) {
		const outcome = await promisify(zlib.gunzip)(bytes).then(out => out.length, e => `${e.code} ${e.errno}`);
		let sync;
		try {
			sync = zlib.gunzipSync(bytes).length;
		} catch (e) {
			sync = `${e.code} ${e.errno}`;
		}
		console.log('gunzip', name, outcome, sync);
	}
	assert.throws(() => zlib.inflateSync(zlib.deflateSync(data), { maxOutputLength: 1000 }), RangeError);
}

async function write(files, out) {
	fs.mkdirSync(out);
	const save = (name, data) => fs.writeFileSync(path.join(out, name), data);
	const work = [];
	for (const [name, data] of Object.entries(files)) {
		for (const [kind, [deflate, , Deflate]] of Object.entries(FORMATS)) {
			for (const level of [1, 6, 9])
				save(`${name}.sync${level}.${kind}`, zlib[deflate + 'Sync'](data, { level }));
			work.push(promisify(zlib[deflate])(data).then(z => save(`${name}.async.${kind}`, z)));
			for (const size of [1000003, 5003])
				work.push(through(zlib['create' + Deflate]({ chunkSize: 4096 }), data, size)
					.then(z => save(`${name}.stream${size}.${kind}`, z)));
		}
		work.push(interactive(data).then(z => save(`${name}.interactive.zlib`, z)));
		work.push(pipeline(Readable.from(pieces(data, 70000)), zlib.createGzip(),
			fs.createWriteStream(path.join(out, `${name}.file.gz`))));
		console.log(name, data.length, crypto.createHash('sha256').update(data).digest('hex'));
	}
	await Promise.all(work);
	await damaged(files.text);
	console.log('http', await overHttp(files));
}

async function read(files, out) {
	await Promise.all(fs.readdirSync(out).map(async entry => {
		const [name, , kind] = entry.split('.');
		const [, inflate, , Inflate] = FORMATS[kind];
		const data = fs.readFileSync(path.join(out, entry));
		const want = files[name];
		assert(zlib[inflate + 'Sync'](data).equals(want), `${entry} at once`);
		assert((await promisify(zlib[inflate])(data)).equals(want), `${entry} in the pool`);
		assert((await through(zlib['create' + Inflate](), data, 10007)).equals(want), `${entry} as a stream`);
		if (kind !== 'raw')
			assert((await through(zlib.createUnzip(), data, 65536)).equals(want), `${entry} by unzip`);
	}));
}

const [, , mode, mix, out] = process.argv;
const files = Object.fromEntries(fs.readdirSync(mix).sort().map(name => [name, fs.readFileSync(path.join(mix, name))]));
({ write, read })[mode](files, out).catch(error => {
	console.error(error);
	process.exitCode = 1;
});
