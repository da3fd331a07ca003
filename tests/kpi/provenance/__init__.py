"""Where figures come from, whether that holds, what changed, and figures that stay."""
