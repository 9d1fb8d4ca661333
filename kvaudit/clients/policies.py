"""The pipeline that every client of ours shares: who asks, with which token, what is counted and logged."""

import logging
import time
from typing import Any
from urllib.parse import urlsplit

import orjson
from azure.core.exceptions import ServiceResponseError
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import (
    AsyncHTTPPolicy,
    CustomHookPolicy,
    HeadersPolicy,
    RequestIdPolicy,
    UserAgentPolicy,
)

from kvaudit import __version__
from kvaudit.clients.pace import Pace
from kvaudit.clients.retries import ReadRetryPolicy, RetrySettings
from kvaudit.clients.statistics import Statistics
from kvaudit.clients.tokens import Tokens, claims_of, is_other_tenants

USER_AGENT = f"kvaudit/{__version__}"

_LOGGER = logging.getLogger("kvaudit.http")


class WholeAnswerPolicy(AsyncHTTPPolicy[Any, Any]):
    """Turns a success that holds no JSON object into a failed read, so that it is asked again.

    A proxy that answers 200 with a page of HTML, and a body that was cut, come here.
    """

    async def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """Sends on, then looks at the answer."""
        answer = await self.next.send(request)
        response = answer.http_response
        if response.status_code == 200 and not request.context.options.get("stream"):
            try:
                whole = isinstance(orjson.loads(_content(response)), dict)
            except ValueError:
                whole = False
            if not whole:
                raise ServiceResponseError("the answer is not a JSON object")
        return answer


class StatisticsPolicy(AsyncHTTPPolicy[Any, Any]):
    """Counts every request that is sent, and logs it without headers, query and body."""

    def __init__(self, statistics: Statistics, endpoint: str) -> None:
        super().__init__()
        self._counts = statistics.of(endpoint)

    async def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """Sends on and counts."""
        counts = self._counts
        counts.requests += 1
        counts.retries += 1 if request.context.get("retry_count") else 0
        started = time.perf_counter()
        status, size = None, 0
        try:
            answer = await self.next.send(request)
            status = answer.http_response.status_code
            size = 0 if request.context.options.get("stream") else len(_content(answer.http_response))
            return answer
        finally:
            seconds = time.perf_counter() - started
            counts.seconds += seconds
            counts.slowest = max(counts.slowest, seconds)
            counts.bytes += size
            counts.throttled += status == 429
            counts.failed += status is None or status >= 400
            _log(request, status, size, seconds)


def _log(request: PipelineRequest[Any], status: int | None, size: int, seconds: float) -> None:
    if _LOGGER.isEnabledFor(logging.DEBUG):
        sent = request.http_request
        parts = urlsplit(sent.url)
        _LOGGER.debug(
            "%s %s%s -> %s, %d bytes, %.0f ms, request %s",
            sent.method,
            parts.netloc,
            parts.path,
            status if status is not None else "no answer",
            size,
            seconds * 1000,
            sent.headers.get("x-ms-client-request-id", "-"),
        )


def _content(response: Any) -> bytes:
    content = response.content if hasattr(response, "content") else response.body()
    return bytes(content)


class PacePolicy(AsyncHTTPPolicy[Any, Any]):
    """Lets a request leave when the service's documented limit has room for it; slows down by what answers say."""

    def __init__(self, pace: Pace, endpoint: str) -> None:
        super().__init__()
        self._pace = pace
        self._endpoint = endpoint

    async def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """Waits, sends on, takes note of what is left."""
        sent = request.http_request
        await self._pace.wait(self._endpoint, sent.url, getattr(sent, "content", None) or getattr(sent, "data", None))
        answer = await self.next.send(request)
        self._pace.heed(self._endpoint, sent.url, answer.http_response.status_code, answer.http_response.headers)
        return answer


class BearerPolicy(AsyncHTTPPolicy[Any, Any]):
    """Sends the token of one audience, at once and without waiting for a challenge.

    A 401 renews the token once: it had expired early, or a claims challenge asks for more (continuous access evaluation).
    A challenge that names another tenant is not followed: the answer stays 401 and becomes a gap.
    """

    def __init__(self, tokens: Tokens, audience: str) -> None:
        super().__init__()
        self._tokens = tokens
        self._audience = audience

    async def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """Adds the token, sends on, renews once."""
        token = await self._tokens.get(self._audience)
        request.http_request.headers["Authorization"] = f"Bearer {token}"
        answer = await self.next.send(request)
        if answer.http_response.status_code != 401:
            return answer
        challenge = answer.http_response.headers.get("WWW-Authenticate")
        if is_other_tenants(challenge, token):
            return answer
        claims = claims_of(challenge)
        renewed = await self._tokens.renew(self._audience, refused=token, claims=claims)
        if renewed is None:
            return answer
        request.http_request.headers["Authorization"] = f"Bearer {renewed}"
        return await self.next.send(request)


def pipeline_policies(
    tokens: Tokens, audience: str, statistics: Statistics, endpoint: str, retries: RetrySettings, pace: Pace
) -> list[Any]:
    """The policies of one client, first to last. There is no redirect policy and none that registers providers."""
    return [
        RequestIdPolicy(),
        HeadersPolicy({"Accept": "application/json"}),
        UserAgentPolicy(base_user_agent=USER_AGENT),
        ReadRetryPolicy(retries),
        BearerPolicy(tokens, audience),
        CustomHookPolicy(),
        WholeAnswerPolicy(),
        PacePolicy(pace, endpoint),
        StatisticsPolicy(statistics, endpoint),
    ]


def probing_policies(
    tokens: Tokens | None, audience: str, statistics: Statistics, retries: RetrySettings, pace: Pace
) -> list[Any]:
    """The policies of calls of which only status, headers and errors are looked at; None for calls that carry no token."""
    return [
        RequestIdPolicy(),
        HeadersPolicy({"Accept": "application/json"}),
        UserAgentPolicy(base_user_agent=USER_AGENT),
        ReadRetryPolicy(retries),
        *([BearerPolicy(tokens, audience)] if tokens else []),
        PacePolicy(pace, "vault"),
        StatisticsPolicy(statistics, "vault"),
    ]


def untold_policies(statistics: Statistics, endpoint: str, pace: Pace) -> list[Any]:
    """The policies of a client that tells nobody who asks, and asks once."""
    return [
        RequestIdPolicy(),
        UserAgentPolicy(base_user_agent=USER_AGENT),
        PacePolicy(pace, endpoint),
        StatisticsPolicy(statistics, endpoint),
    ]
