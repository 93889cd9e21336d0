"""The presentation of values: wording, navigation, links, charts, differences, exports."""
