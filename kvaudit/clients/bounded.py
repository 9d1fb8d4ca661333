"""Answers of bounded size and time: what a proxy or a tenant can make large or slow does not hold up a run."""

import asyncio

import aiohttp

MAX_ANSWER_BYTES = 64 * 2**20
"""Largest answer, unpacked. A page of 1,000 vaults with 1,024 access policies each is beyond what Azure puts in one
page (Resource Manager keeps answers under 8 MB); getByIds of 1,000 objects is about 1 MB."""

LONGEST_READING = 300.0
"""Seconds in which one answer must be here whole: 8 MB at 220 kbit/s. The timeouts of a connection bound each wait alone, so
that an answer that comes a byte at a time would never end."""


class BoundedResponse(aiohttp.ClientResponse):
    """An answer that is given up when it grows or takes beyond the bound, packed or not."""

    async def read(self) -> bytes:
        """The whole body. Raises `aiohttp.ClientPayloadError` when it is too large or too slow."""
        try:
            async with asyncio.timeout(LONGEST_READING) as bound:
                return await self._read()
        except TimeoutError as problem:
            if not bound.expired():  # the connection's own, for one wait
                raise
            self.close()
            raise aiohttp.ClientPayloadError(f"the answer took longer than {LONGEST_READING:.0f} seconds") from problem

    async def _read(self) -> bytes:
        size = 0
        chunks: list[bytes] = []
        async for chunk in self.content.iter_any():
            size += len(chunk)
            if size > MAX_ANSWER_BYTES:
                self.close()
                raise aiohttp.ClientPayloadError(f"the answer is larger than {MAX_ANSWER_BYTES} bytes")
            chunks.append(chunk)
        return b"".join(chunks)
