// What the client throws, always for a mistake in the program and never for network or disk.
'use strict';

class BrazebeeError extends Error {
  constructor(message) {
    super(message);
    this.name = new.target.name;
  }
}

/** Thrown when the arguments of a call can never become a valid event. */
class InvalidCall extends BrazebeeError {}

/** Thrown when the client cannot work as it is configured. */
class InvalidConfiguration extends BrazebeeError {}

module.exports = { BrazebeeError, InvalidCall, InvalidConfiguration };
