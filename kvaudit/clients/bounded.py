"""Answers of bounded size: what a proxy or a tenant can make large does not fill the memory."""

import aiohttp

MAX_ANSWER_BYTES = 64 * 2**20
"""Largest answer, unpacked. A page of 1,000 vaults with 1,024 access policies each is beyond what Azure puts in one
page (Resource Manager keeps answers under 8 MB); getByIds of 1,000 objects is about 1 MB."""


class BoundedResponse(aiohttp.ClientResponse):
    """An answer that is given up when it grows beyond the bound, packed or not."""

    async def read(self) -> bytes:
        """The whole body. Raises `aiohttp.ClientPayloadError` when it is too large."""
        size = 0
        chunks: list[bytes] = []
        async for chunk in self.content.iter_any():
            size += len(chunk)
            if size > MAX_ANSWER_BYTES:
                self.close()
                raise aiohttp.ClientPayloadError(f"the answer is larger than {MAX_ANSWER_BYTES} bytes")
            chunks.append(chunk)
        return b"".join(chunks)
