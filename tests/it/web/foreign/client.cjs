// Node's ws, told what to do: JSON lines in, JSON lines out. See program.rs.
'use strict';

const { readFileSync } = require('node:fs');
const { createInterface } = require('node:readline');
const { WebSocket } = require('ws');

const say = (...event) => console.log(JSON.stringify(event));
const [url, ca, protocol, origin] = JSON.parse(process.argv[2]);

const options = { ...(ca && { ca: readFileSync(ca) }), ...(origin && { origin }) };
const socket = new WebSocket(url, [protocol], options);
socket.on('open', () => say('open', socket.protocol, socket.extensions.length));
socket.on('message', (text) => say('text', text.toString()));
socket.on('ping', () => say('ping'));
socket.on('pong', (payload) => say('pong', payload.toString()));
socket.on('close', (code, reason) => say('close', code, reason.toString()));
socket.on('error', (error) => console.error(error.message));
socket.on('unexpected-response', (request, response) => {
  say('refused', response.statusCode);
  process.exit();
});

const bytes = (hex) => Buffer.from(hex, 'hex');

const carryOut = {
  text: (text) => socket.send(text),
  fragments: (parts) => {
    parts.forEach((part, i) => socket.send(bytes(part), { binary: false, fin: i + 1 === parts.length }));
  },
  binary: (hex) => socket.send(bytes(hex)),
  ping: (payload) => socket.ping(payload),
  raw: (hex) => socket._socket.write(bytes(hex)),
  close: ([code, why]) => socket.close(code, why),
};

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const [verb, argument] = JSON.parse(line);
    carryOut[verb](argument);
  })
  .on('close', () => socket.terminate());
