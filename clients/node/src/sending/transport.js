// Posts JSON to the API over one connection that is kept.
'use strict';

const http = require('node:http');
const https = require('node:https');
const { promisify } = require('node:util');
const zlib = require('node:zlib');
const { version } = require('../../package.json');

const LARGEST_ANSWER = 1_000_000;
const WORTH_COMPRESSING = 1_000; // bytes from which a body is compressed

const gzip = promisify(zlib.gzip);

/** Thrown when a request got no complete answer; nobody knows whether it was received. */
class Unreachable extends Error {}

/** @typedef {{ status: number, headers: http.IncomingHttpHeaders, body: Buffer }} Answer */

class Transport {
  constructor(url, apiKey, timeout) {
    const { request, Agent } = url.startsWith('https:') ? https : http;
    this._request = request;
    this._agent = new Agent({ keepAlive: true, maxSockets: 1 });
    this._url = url;
    this._timeout = timeout;
    this._isClosed = false;
    this._headers = {
      'x-api-key': apiKey,
      'content-type': 'application/json',
      accept: 'application/json',
      'user-agent': `brazebee-client-node/${version}`,
    };
  }

  /**
   * Post a body and return the answer; redirections are not followed.
   * @param {string} path
   * @param {Buffer} body
   * @returns {Promise<Answer>}
   * @throws {Unreachable} no complete answer came in time
   */
  async post(path, body) {
    const headers = { ...this._headers };
    if (body.length >= WORTH_COMPRESSING) {
      body = await gzip(body, { level: 5 });
      headers['content-encoding'] = 'gzip';
    }
    headers['content-length'] = body.length;
    try {
      return await this._exchange(path, headers, body);
    } catch (error) {
      // The server may have closed a connection just when it was used again.
      if (!error.onUsedConnection || this._isClosed) throw new Unreachable(error.message);
    }
    try {
      return await this._exchange(path, headers, body);
    } catch (error) {
      throw new Unreachable(error.message);
    }
  }

  /** Close the connection, and end a request that still waits for its answer. */
  close() {
    this._isClosed = true;
    this._agent.destroy();
  }

  _exchange(path, headers, body) {
    return new Promise((resolve, reject) => {
      const options = { method: 'POST', agent: this._agent, headers };
      const request = this._request(`${this._url}${path}`, options);
      const late = setTimeout(() => {
        request.destroy(new Error(`no answer within ${this._timeout} ms`));
      }, this._timeout);
      late.unref();
      request.on('socket', (socket) => socket.unref()); // the application may end meanwhile
      request.on('error', (error) => {
        clearTimeout(late);
        const wasClosed = error.code === 'ECONNRESET' || error.code === 'EPIPE';
        error.onUsedConnection = wasClosed && request.reusedSocket;
        reject(error);
      });
      request.on('response', (response) => {
        const chunks = [];
        let size = 0;
        response.on('data', (chunk) => {
          chunks.push(chunk);
          size += chunk.length;
          if (size > LARGEST_ANSWER) request.destroy(new Error('the answer has no end'));
        });
        response.on('error', reject);
        response.on('close', () => {
          clearTimeout(late);
          if (!response.complete) reject(new Error('the answer breaks off'));
          const { statusCode: status, headers: received } = response;
          resolve({ status, headers: received, body: Buffer.concat(chunks) });
        });
      });
      request.end(body);
    });
  }
}

module.exports = { Transport, Unreachable };
