"""The endpoints that SDKs of other products send to: Segment, RudderStack, PostHog, CloudEvents."""
